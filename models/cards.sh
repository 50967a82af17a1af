#!/bin/sh
# Makes the cards of this folder again, each figure by the command that stands beside it: data, trainings with two more seeds,
# results, cards. Takes hours on two cores; what lies in the working folder already is kept.
#
#     FINESCALE=target/release/finescale WORK=out/cards models/cards.sh [NAME …]
set -eu
models=$(cd "$(dirname "$0")" && pwd)
finescale=$(command -v "${FINESCALE:-finescale}")
finescale=$(cd "$(dirname "$finescale")" && pwd)/$(basename "$finescale")
work=${WORK:-cards}
mkdir -p "$work"
cd "$work"
free="simulated by this project, free of anybody's rights."

# Runs the program unless what it makes, the first argument, is there.
make() {
    out=$1
    shift
    [ -e "$out" ] || "$finescale" "$@" --out "$out"
}

# card NAME OPTIONS…
card() {
    name=$1
    shift
    "$finescale" card --model "$models/$name" --out "$models/$name/README.md" "$@"
}

# simulated NAME "SIMULATE" TRAJECTORIES "SETTINGS OF SUPER-RESOLUTION" "OF GENERATION" GENERATED GENERATED-BY-SEEDS PAPER-MEMBERS "ABOUT"
# Without members of the paper's sampler, which takes hours on planes, its column is left out.
simulated() {
    n=$1 simulate=$2 trajectories=$3 settings=$4 generation=$5 generated=$6 generated_by_seeds=$7 paper=$8 about=$9
    # Files for boards recommend the sampler that the figures are measured with.
    recommended="--steps 16$settings"
    super="super-resolve $n.zarr --coarsen 4 --trajectories $trajectories --frames 20"
    ours="--members 20 --steps 16$settings"
    ahead="forecast $n.zarr --members 20 --trajectories $trajectories --frames 10"
    new="generate --like $n.zarr --frames 20 --steps 16$generation"
    roll="simulate $n.zarr --no-noise --members 1 --frames 6"
    # shellcheck disable=SC2086 # the commands are meant to be split
    {
        make "$n.zarr" $simulate
        for seed in 2 3; do
            make "$n-$seed" train "$n.zarr" --preset "$n" --seed "$seed"
            make "$n-$seed-sr.nc" $super $ours --model "$n-$seed"
            make "$n-$seed-ahead.nc" $ahead --model "$n-$seed"
            make "$n-$seed-new.nc" $new --members "$generated_by_seeds" --model "$n-$seed"
            make "$n-$seed-roll.nc" $roll --model "$n-$seed"
        done
        for linear in "" --linear; do
            make "$n-sr$linear.nc" $super $ours --model "$models/$n" $linear
            make "$n-ahead$linear.nc" $ahead --model "$models/$n" $linear
            make "$n-new$linear.nc" $new --members "$generated" --model "$models/$n" $linear
            make "$n-roll$linear.nc" $roll --model "$models/$n" $linear
        done
        if [ -n "$paper" ]; then
            make "$n-sr-paper.nc" $super --members "$paper" --preset paper --model "$models/$n"
        fi
    }
    also="again with --linear" papers=
    if [ -n "$paper" ]; then
        also="$also; with --members $paper --preset paper instead of $ours" papers="$n-sr-paper.nc"
    fi
    # shellcheck disable=SC2086 # nothing if there is none
    card "$n" --data "$n.zarr" --about "$about" --licence "$free" \
        "$n-sr.nc" "$n-sr--linear.nc" $papers "$n-ahead.nc" "$n-ahead--linear.nc" \
        "$n-new.nc" "$n-new--linear.nc" "$n-roll.nc" "$n-roll--linear.nc" \
        --other-seed "$n-2-sr.nc" --other-seed "$n-2-ahead.nc" --other-seed "$n-2-new.nc" --other-seed "$n-2-roll.nc" \
        --other-seed "$n-3-sr.nc" --other-seed "$n-3-ahead.nc" --other-seed "$n-3-new.nc" --other-seed "$n-3-roll.nc" \
        --made-by "finescale $simulate --out $n.zarr" \
        --made-by "finescale train $n.zarr --preset $n --out $n" \
        --made-by "finescale export $n --format finescale $recommended --out $n.finescale" \
        --made-by "finescale export $n --format finescale $recommended --quantize int8 --data $n.zarr --out $n-int8.finescale   # and int16" \
        --made-by "finescale export $n --format onnx" \
        --scored-by "finescale $super $ours --model $n --out sr.nc   # $also" \
        --scored-by "finescale $ahead --model $n --out ahead.nc   # again with --linear" \
        --scored-by "finescale $new --members $generated --model $n --out new.nc   # again with --linear" \
        --scored-by "finescale $roll --model $n --out roll.nc   # again with --linear"
}

kolmogorov_32() {
    simulated kolmogorov-32 "data simulate kolmogorov --interval 0.2 --resolution 96 --dt 0.01 --trajectories 500" \
        50 " --lambda 1 --spacing quadratic --rule matched" " --lambda 0.5 --rule matched" 20 4 "" \
        "Vorticity of Kolmogorov flow, 32 × 32 points, frames 0.2 apart. Fifteen minutes on two shared cores."
}

kuramoto_sivashinsky() {
    simulated kuramoto-sivashinsky "data simulate kuramoto-sivashinsky --trajectories 500" 12 "" "" 20 20 20 \
        "The Kuramoto-Sivashinsky equation on a line of 64 points. Trained in 150 seconds on one core."
}

lorenz96() {
    simulated lorenz96 "data simulate lorenz96 --trajectories 2000" 10 "" " --lambda 0.02 --rule variance" 8 8 20 \
        "Two-scale Lorenz-96: slow and fast variables on 128 points. Trained in seven minutes on two shared cores."
}

kuramoto_sivashinsky_head() {
    n=kuramoto-sivashinsky-head data=kuramoto-sivashinsky.zarr
    simulate="data simulate kuramoto-sivashinsky --trajectories 500"
    super="super-resolve $data --coarsen 4 --trajectories 12 --frames 20 --members 20 --steps 16"
    ahead="forecast $data --members 20 --trajectories 12 --frames 10"
    new="generate --like $data --members 20 --frames 20 --steps 16"
    roll="simulate $data --no-noise --members 1 --frames 6"
    # shellcheck disable=SC2086
    {
        make "$data" $simulate
        make "$n-sr.nc" $super --score head --model "$models/$n"
        make "$n-sr-path.nc" $super --model "$models/$n"
        make "$n-sr--linear.nc" $super --linear --model "$models/$n"
        make "$n-ahead.nc" $ahead --score head --model "$models/$n"
        make "$n-new.nc" $new --score head --model "$models/$n"
        make "$n-roll.nc" $roll --model "$models/$n"
    }
    card "$n" --data "$data" --licence "$free" \
        "$n-sr.nc" "$n-sr-path.nc" "$n-sr--linear.nc" "$n-ahead.nc" "$n-new.nc" "$n-roll.nc" \
        --about "The Kuramoto-Sivashinsky equation on a line of 64 points, with a score head: sample with --score head. 90 seconds of processor time." \
        --made-by "finescale $simulate --out $data" \
        --made-by "finescale train $data --preset $n --out $n" \
        --made-by "finescale export $n --format finescale --steps 16 --score head --out $n.finescale" \
        --made-by "finescale export $n --format finescale --steps 16 --score head --quantize int8 --data $data --out $n-int8.finescale   # and int16" \
        --made-by "finescale export $n --format onnx" \
        --scored-by "finescale $super --score head --model $n --out sr.nc   # again without --score head; with --linear" \
        --scored-by "finescale $ahead --score head --model $n --out ahead.nc" \
        --scored-by "finescale $new --score head --model $n --out new.nc" \
        --scored-by "finescale $roll --model $n --out roll.nc"
}

kolmogorov_64() {
    n=kolmogorov-64
    simulate="data simulate kolmogorov --grid 64 --interval 0.2 --trajectories 50"
    super="super-resolve $n.zarr --coarsen 4 --members 6 --trajectories 1 --frames 8"
    # shellcheck disable=SC2086
    {
        make "$n.zarr" $simulate
        make "$n-sr.nc" $super --model "$models/$n"
        make "$n-sr--linear.nc" $super --model "$models/$n" --linear
    }
    card "$n" --data "$n.zarr" "$n-sr.nc" "$n-sr--linear.nc" --licence "$free" \
        --about "Vorticity of Kolmogorov flow, 64 × 64 points, frames 0.2 apart. About eight minutes of processor time on two shared cores." \
        --made-by "finescale $simulate --out $n.zarr" \
        --made-by "finescale train $n.zarr --preset $n --out $n" \
        --scored-by "finescale $super --model $n --out sr.nc   # again with --linear"
}

# The file comes from Debian's package ferret-datasets: put it into the working folder.
winds() {
    n=winds
    import="data import monthly_navy_winds.cdf --var UWND,VWND --grid 32x64 --anomaly annual-cycle"
    super="super-resolve $n.zarr --coarsen 4 --members 20 --steps 16"
    # shellcheck disable=SC2086
    {
        make "$n.zarr" $import
        make "$n-sr.nc" $super --model "$models/$n"
        make "$n-sr--linear.nc" $super --model "$models/$n" --linear
    }
    card "$n" --data "$n.zarr" "$n-sr.nc" "$n-sr--linear.nc" \
        --about "Monthly anomalies of both components of the wind near the surface (US Navy, 1982 to 1992), 32 × 64, reflecting in latitude, periodic in longitude. The file is in Debian's package ferret-datasets." \
        --licence "the file names none; it is not part of this project." \
        --made-by "finescale $import --out $n.zarr" \
        --made-by "finescale train $n.zarr --preset $n --out $n" \
        --made-by "finescale export $n --format finescale --steps 16 --out $n.finescale" \
        --made-by "finescale export $n --format finescale --steps 16 --quantize int8 --data $n.zarr --out $n-int8.finescale   # and int16" \
        --made-by "finescale export $n --format onnx" \
        --scored-by "finescale $super --model $n --out sr.nc   # again with --linear"
}

# ship NAME
# Trains a conditional mean with the config.toml in its folder, and lays what the training leaves there, the files for boards, and the
# graph if it is small. A model that is there stays.
ship() {
    n=$1 folder=$models/$1
    if [ -e "$folder/model.safetensors" ]; then return; fi
    make "$n" train "$n.zarr" --config "$folder/config.toml"
    for file in config.toml curves.png summary.txt model.safetensors; do
        if [ -e "$n/$file" ]; then cp "$n/$file" "$folder/$file"; fi
    done
    make "$folder/$n.finescale" export "$n"
    if [ -e "$folder/curves.png" ]; then
        for bits in int8 int16; do
            make "$folder/$n-$bits.finescale" export "$n" --quantize "$bits" --data "$n.zarr"
        done
    fi
    "$finescale" export "$n" --format onnx --out "$folder"
    if [ "$(wc -c <"$folder/mean.onnx")" -ge 2097152 ]; then rm "$folder/mean.onnx"; fi
}

# conditional_mean NAME "DATA" "SETTINGS OF SUPER-RESOLUTION" "ABOUT" "LICENCE" ["COMMAND OF OTHERS" RESULT …]
# Without curves nothing was trained: then there is one precision, and no other seed. The results of others are made before.
conditional_mean() {
    n=$1 data=$2 super="super-resolve $1.zarr $3" about=$4 licence=$5
    shift 5
    also="again with --members 1 --mean-alone"
    if [ $# -gt 0 ]; then
        also="$also; $1"
        shift
    fi
    # shellcheck disable=SC2086 # the commands are meant to be split
    {
        make "$n.zarr" $data
        ship "$n"
        make "$n-sr.nc" $super --members 20 --model "$models/$n"
        make "$n-sr-mean.nc" $super --members 1 --mean-alone --model "$models/$n"
    }
    set -- "$n-sr.nc" "$n-sr-mean.nc" "$@" \
        --made-by "finescale $data --out $n.zarr" \
        --made-by "finescale train $n.zarr --config models/$n/config.toml --out $n" \
        --made-by "finescale export $n --format finescale --out $n.finescale"
    if [ -e "$models/$n/curves.png" ]; then
        for seed in 1 2 3; do
            if grep -qx "seed = $seed" "$models/$n/config.toml"; then continue; fi
            make "$n-$seed" train "$n.zarr" --config "$models/$n/config.toml" --seed "$seed"
            # shellcheck disable=SC2086
            make "$n-$seed-sr.nc" $super --members 20 --model "$n-$seed"
            set -- "$@" --other-seed "$n-$seed-sr.nc"
        done
        set -- "$@" --made-by "finescale export $n --format finescale --quantize int8 --data $n.zarr --out $n-int8.finescale   # and int16"
    fi
    card "$n" --data "$n.zarr" --about "$about" --licence "$licence" "$@" \
        --made-by "finescale export $n --format onnx" \
        --scored-by "finescale $super --members 20 --model $n --out sr.nc   # $also"
}

# The file is of the Copernicus Climate Data Store (docs/real-data.md): put it into the working folder.
era5_uk() {
    conditional_mean era5-uk "data import era5.nc --var t2m --isel latitude=0:32,longitude=0:48 --valid 0.05 --test 0.29" \
        "--coarsen 4" \
        "Hourly temperature two metres above the ground over the British Isles (ERA5, March 2019), 32 × 48 points a quarter of a degree apart, from means over 4 × 4 points. In closed form, in seconds." \
        "contains modified Copernicus Climate Change Service information 2019, CC BY 4.0 (Hersbach et al. 2018, doi 10.24381/cds.adbb2d47); neither the European Commission nor ECMWF is responsible for any use that may be made of it."
}

kuramoto_sivashinsky_means() {
    conditional_mean kuramoto-sivashinsky-means "data simulate kuramoto-sivashinsky --trajectories 500" \
        "--coarsen 4 --trajectories 12 --frames 20" \
        "The Kuramoto-Sivashinsky equation on a line of 64 points, from means over blocks of four." "$free"
}

kolmogorov_32_means() {
    conditional_mean kolmogorov-32-means "data simulate kolmogorov --interval 0.2 --resolution 96 --dt 0.01 --trajectories 200" \
        "--coarsen 4 --trajectories 8 --frames 20" \
        "Vorticity of Kolmogorov flow, 32 × 32 points, frames 0.2 apart, from means over blocks of 4 × 4. Trained in seventeen minutes on one core." "$free" \
        "with --input block-mean --model kolmogorov-32 --steps 16 --lambda 1 --spacing quadratic --rule matched" kolmogorov-32-means-predictor.nc
}

lorenz96_means() {
    conditional_mean lorenz96-means "data simulate lorenz96 --trajectories 2000" \
        "--coarsen 4 --trajectories 10" \
        "Two-scale Lorenz-96, slow and fast variables on 128 points, from the modes of 32. Trained in eight minutes on one core." "$free" \
        "with --model lorenz96 --steps 16" lorenz96-means-predictor.nc
}

thermal_means() {
    conditional_mean thermal-means "data simulate thermal --trajectories 2000 --interval 0.1 --warmth 12 --scene 3 --speed 0.1" \
        "--coarsen 4 --trajectories 20" \
        "Simulated warm bodies in a room as a thermal array of 8 × 8 pixels sees them, 32 × 32 points, ten frames a second. For the sensor board of the firmware example. Trained in five minutes on one core." "$free"
}

for name in ${*:-kolmogorov-32 kuramoto-sivashinsky kuramoto-sivashinsky-head lorenz96 kolmogorov-64 winds era5-uk kuramoto-sivashinsky-means kolmogorov-32-means lorenz96-means thermal-means}; do
    "$(echo "$name" | tr - _)"
done

use finescale_trainer::{
    baseline::{self, *},
    dataset::*,
    ensemble::*,
    model::Model,
    report,
    score::*,
};
use std::path::Path;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let reader = Reader::open(Path::new(&a[1])).unwrap();
    let n: usize = a[2].parse().unwrap();
    let forecast = n == 0;
    let seg: Vec<_> = reader.segments(Split::Test).into_iter().take(8).collect();
    let f = seg[0].frames.len();
    let spec = Spec {
        trajectories: seg.len(),
        time: TimeAxis {
            values: reader.spec().time.values[seg[0].frames.clone()].to_vec(),
            ..reader.spec().time.clone()
        },
        ..reader.spec().clone()
    };
    let truth: Vec<f32> =
        seg.iter().flat_map(|s| reader.read(s.trajectory, s.frames.clone()).unwrap()).collect();
    let _ = f;
    let climate = Climate::of_data(&reader).unwrap();
    let process = finescale::ForwardProcess::new(0.1, 2.0, finescale::Laplacian::Spectral).unwrap();
    let c = Coarsening::Damped { process, lambda: 0.3, noised: false };
    let mut base = Ensemble {
        provenance: Provenance {
            task: if forecast { Task::Forecast } else { Task::SuperResolve },
            method: "truth".into(),
            model: "".into(),
            model_hash: "".into(),
            settings: serde_json::json!({"coarsening": c}),
            seed: 0,
            calls_per_frame: 0.,
            seconds_per_frame: 0.,
        },
        members: 1,
        given: if forecast { 3 } else { 0 },
        prediction: truth.clone(),
        input: None,
        truth: Some(truth.clone()),
        spec: spec.clone(),
    };
    if !forecast {
        let axis = |ax: &SpatialAxis| {
            SpatialAxis::of_length(&ax.name, ax.points() / n, ax.boundary, ax.length)
        };
        let cs = Spec { y: spec.y.as_ref().map(axis), x: axis(&spec.x), ..spec.clone() };
        let values = truth
            .chunks_exact(spec.frame_len())
            .flat_map(|fr| c.apply(&spec, &cs, fr).unwrap())
            .collect();
        base.input = Some(CoarseInput { spec: cs, values });
    }
    let t = std::time::Instant::now();
    let all = baseline::all(
        &base,
        Knowledge { climate: Some(&climate), data: Some(&reader), members: 16, seed: 1 },
    )
    .unwrap();
    eprintln!("baselines {:?}", t.elapsed());
    let settings = Settings { scale: Some(climate.scale.clone()), coarse: None };
    let scored = report::scored(all, None, &settings).unwrap();
    eprintln!("scores {:?}", t.elapsed());
    println!("{}", scored[0].scores.text());
    let truth = Truth::within(&base).unwrap();
    let html = report::html(&format!("Report on {}", spec.title), &scored, Some(&truth)).unwrap();
    std::fs::write(&a[3], &html).unwrap();
    eprintln!("html {:?} {}", t.elapsed(), html.len());
    let d = format!("{}.figs", a[3]);
    std::fs::create_dir_all(&d).unwrap();
    let panes = report::figures::fields(&scored, Some(&truth), 0, 0, spec.frames() - 1).unwrap();
    report::figures::fields_figure(&scored, 0, &panes)
        .unwrap()
        .save(format!("{d}/fields.png"))
        .unwrap();
    if let Some(x) = report::figures::spectra(&scored, 0).unwrap() {
        x.save(format!("{d}/spectra.png")).unwrap();
    }
    if let Some(x) = report::figures::space_time(&scored, 0) {
        x.figure().unwrap().save(format!("{d}/space_time.png")).unwrap();
    }
    if let Some(x) = report::figures::ranks(&scored).unwrap() {
        x.save(format!("{d}/ranks.png")).unwrap();
    }
    if let Some(x) = report::figures::lead(&scored).unwrap() {
        x.save(format!("{d}/lead.png")).unwrap();
    }
    eprintln!("figs {:?}", t.elapsed());
    let _ = Model::open;
}

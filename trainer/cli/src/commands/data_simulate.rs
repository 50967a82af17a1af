//! `finescale data simulate`: a simulator's trajectories into a data set.

use anyhow::Result;

use finescale_data::simulate::SimulateArgs;

/// Runs the command.
///
/// # Errors
/// One sentence; nothing is left at `--out` then.
pub(super) fn run(args: &SimulateArgs) -> Result<()> {
    let spec = args.write()?;
    println!("{}: {}", args.shared().out.display(), spec.title);
    println!(
        "  {} trajectories × {} frames of {} × {} × {} (channels, y, x)",
        spec.trajectories,
        spec.frames(),
        spec.channels.len(),
        spec.ny(),
        spec.nx()
    );
    Ok(())
}

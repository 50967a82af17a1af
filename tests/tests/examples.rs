//! The examples of the runtime run to their end.

#[path = "../../runtime/examples/conditional_mean.rs"]
mod conditional_mean;
#[path = "../../runtime/examples/downscale.rs"]
mod downscale;
#[path = "../../runtime/examples/forecast.rs"]
mod forecast;
#[path = "../../runtime/examples/own_loop.rs"]
mod own_loop;
#[path = "../../runtime/examples/profile.rs"]
mod profile;
#[path = "../../runtime/examples/stream.rs"]
mod stream;
#[path = "../../runtime/examples/two_models.rs"]
mod two_models;

#[test]
fn every_example_runs() {
    for (name, main) in [
        ("conditional_mean", conditional_mean::main as fn() -> Result<(), finescale::Error>),
        ("downscale", downscale::main),
        ("forecast", forecast::main),
        ("own_loop", own_loop::main),
        ("profile", profile::main),
        ("stream", stream::main),
        ("two_models", two_models::main),
    ] {
        println!("── {name}");
        main().unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

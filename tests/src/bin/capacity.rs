//! Cost and capacity at the command line.

use clap::Parser;
use tests::capacity::crowd::{COURSES, Crowd, Paces, Settings};
use tests::capacity::kinds::Counted;
use tests::capacity::prices::{Assumptions, Prices};
use tests::capacity::report;

/// Counts what the system asks of Google and AWS, and simulates its renewer over many mailboxes.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    assumed: Assumptions,
    #[command(flatten)]
    prices: Prices,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let Arguments { settings, assumed, prices } = Arguments::parse();
    let counted = Counted::count().await?;
    println!("What was counted\n\n{}", report::counted(&counted));
    println!("What it costs, in dollars\n\n{}", report::costs(&counted, &prices, &assumed));
    println!("{}", report::assumptions(&assumed, &prices));
    let paces = Paces::of(&counted, &assumed, settings.at_once);
    let measured = COURSES.map(|course| (course.name, Crowd::live(&settings, course, paces)));
    println!("{}", report::simulated(&settings, paces, &measured));
    Ok(())
}

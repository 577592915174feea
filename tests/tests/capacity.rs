//! docs/capacity.md is what is counted (UPDATE_DOCS=1 writes it), and a small crowd of mailboxes
//! keeps its bounds.

use clap::Parser;
use tests::capacity::crowd::{COURSES, Crowd, Paces, Settings};
use tests::capacity::kinds::{Counted, MONTH};
use tests::capacity::measures::UNITS_PER_DAY;
use tests::capacity::prices::{Assumptions, Prices};
use tests::capacity::report;
use tests::depth;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/capacity.md");
const BEGIN: &str = "<!-- counted: made by the test `capacity` -->\n";
const END: &str = "<!-- end of what is counted -->\n";

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    assumed: Assumptions,
    #[command(flatten)]
    prices: Prices,
}

#[tokio::test]
async fn the_document_is_what_is_counted_and_a_crowd_keeps_its_bounds() {
    let arguments = ["capacity", "--mailboxes", depth::of("500", "2000"), "--days", "6"];
    let Arguments { settings, assumed, prices } = Arguments::parse_from(arguments);
    let counted = Counted::count().await.unwrap();
    document(&counted, &prices, &assumed);

    let idle_day = counted.idle.units as f64 / f64::from(MONTH);
    assert!(
        idle_day * 1e6 < UNITS_PER_DAY,
        "a million idle mailboxes take {idle_day} million units a day"
    );

    let paces = Paces::of(&counted, &assumed, settings.at_once);
    for course in COURSES {
        let measured = Crowd::live(&settings, course, paces);
        let summary = format!("{}: {:?}", course.name, measured.rows());
        assert_eq!((measured.lapsed, measured.waits_at_last()), (0, false), "{summary}");
        assert!(measured.idle_looks() < 4.0, "{summary}");
        let least = if course.renewer_away == (0, 0) { 3.9 } else { 1.5 };
        assert!(
            measured.least_life.is_some_and(|life| life.as_secs_f64() > least * 86_400.0),
            "{summary}"
        );
    }
}

fn document(counted: &Counted, prices: &Prices, assumed: &Assumptions) {
    let made = format!(
        "\n{}\n{}\n{}\n",
        report::counted(counted),
        report::costs(counted, prices, assumed),
        report::assumptions(assumed, prices)
    );
    let text = std::fs::read_to_string(FILE).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the section begins");
    let (written, after) = rest.split_once(END).expect("the section ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return std::fs::write(FILE, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
    }
    assert!(
        written == made,
        "docs/capacity.md is not what is counted; run this test with UPDATE_DOCS=1. Counted:\n{made}"
    );
}

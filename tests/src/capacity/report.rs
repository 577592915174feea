//! The tables that `make capacity` prints and docs/capacity.md contains.

use std::fmt::Write;

use super::counting::Counts;
use super::crowd::{Paces, Settings};
use super::kinds::{Counted, MAILS_A_DAY, MONTH};
use super::measures::{Measures, UNITS_PER_DAY, grouped};
use super::metrics::{combinations, combinations_by_provider};
use super::prices::{Assumptions, Bill, Prices};

/// The calls and units of each kind of work.
pub fn counted(counted: &Counted) -> String {
    let mut text = String::from(
        "| what happens | Gmail units | token calls | DynamoDB requests | read units | write units | of them in `due` | KMS | pushes | wake-ups | events |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (name, counts) in counted.named() {
        let Counts { units, tokens, tally, pushes, wake_ups, events, .. } = counts;
        let requests: u64 = counts.processor.aws + counts.renewer.aws + counts.api.aws;
        let others = tally.kms + counts.queue + counts.puts;
        let (reads, writes) = (tally.half_reads as f64 / 2.0, tally.writes);
        writeln!(
            text,
            "| {name} | {units} | {tokens} | {} | {reads} | {writes} | {} | {} | {pushes} | {wake_ups} | {events} |",
            requests - others,
            tally.due_writes,
            tally.kms
        )
        .unwrap_or_default();
    }
    let (connector, event) = (counted.connector_row, counted.event_row);
    write!(
        text,
        "\nThe connector's row has {connector} bytes after these mails, an event's {event}.\n"
    )
    .unwrap_or_default();
    text
}

/// A mail's share of busy days, over idle ones.
pub fn of_a_mail(counted: &Counted, prices: &Prices, assumed: &Assumptions) -> (Bill, f64) {
    let [busy, idle] = [&counted.busy, &counted.idle].map(|counts| prices.bill(counts, assumed));
    let mut bill = busy.and(&idle.times(-counted.idle_share())).times(1.0 / counted.mails());
    bill.dynamodb += prices.kept(counted.event_row);
    (
        bill,
        (counted.busy.units as f64 - counted.idle.units as f64 * counted.idle_share())
            / counted.mails(),
    )
}

pub fn of_an_idle_mailbox(
    counted: &Counted,
    prices: &Prices,
    assumed: &Assumptions,
) -> (Bill, f64) {
    let mut bill = prices.bill(&counted.idle, assumed);
    bill.dynamodb += prices.kept(counted.connector_row);
    (bill, counted.idle.units as f64 / f64::from(MONTH))
}

pub fn costs(counted: &Counted, prices: &Prices, assumed: &Assumptions) -> String {
    let (mail, mail_units) = of_a_mail(counted, prices, assumed);
    let (idle, idle_units) = of_an_idle_mailbox(counted, prices, assumed);
    let stack = prices.stack(assumed);
    let mut text = String::from(
        "| dollars | Lambda | DynamoDB | SQS | EventBridge | KMS | API Gateway | CloudWatch | transfer | **all** |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    let rows = [
        ("a million mails that fire".to_string(), mail.times(1e6)),
        ("an idle mailbox, a month".into(), idle),
        ("the stack itself, a month".into(), stack),
    ];
    let of = |mailboxes: f64, mails_a_day: f64| {
        stack
            .and(&idle.times(mailboxes))
            .and(&mail.times(mailboxes * mails_a_day * f64::from(MONTH)))
    };
    let sizes = [(1_000.0, "1,000"), (100_000.0, "100,000"), (1_000_000.0, "1,000,000")];
    let idle_rows = sizes
        .map(|(mailboxes, name)| (format!("{name} idle mailboxes, a month"), of(mailboxes, 0.0)));
    let rows = rows.into_iter().chain(idle_rows);
    let rows = rows.chain(sizes.map(|(mailboxes, name)| {
        (format!("{name} mailboxes of a mail a day, a month"), of(mailboxes, 1.0))
    }));
    for (name, bill) in rows {
        let parts: Vec<String> = bill.parts().into_iter().map(dollars).collect();
        writeln!(text, "| {name} | {} | **{}** |", parts.join(" | "), dollars(bill.total()))
            .unwrap_or_default();
    }
    let most = |mails_a_day: f64| UNITS_PER_DAY / (idle_units + mails_a_day * mail_units);
    write!(
        text,
        "\nOf Gmail's units an idle mailbox takes {idle_units:.1} a day and a mail {mail_units:.1}, with its comparisons and with its \
         reader's changes (of {MAILS_A_DAY} mails a day). So 80 million units a day hold {:.2} million idle mailboxes, {:.2} \
         million of a mail a day, {:.2} million of ten.\n",
        most(0.0) / 1e6,
        most(1.0) / 1e6,
        most(10.0) / 1e6
    )
    .unwrap_or_default();
    text
}

fn dollars(amount: f64) -> String {
    match amount.abs() {
        0.0 => "0".into(),
        small if small < 0.01 => format!("{amount:.6}"),
        small if small < 100.0 => format!("{amount:.2}"),
        _ => format!("{amount:.0}"),
    }
}

pub fn assumptions(assumed: &Assumptions, prices: &Prices) -> String {
    let Assumptions {
        aws_ms,
        google_ms,
        overhead_ms,
        webhook_ms,
        log_bytes,
        metrics,
        cpu_ms,
        renewer_mb,
        ..
    } = assumed;
    let (_, most) = combinations();
    let (usual_by_provider, most_by_provider) = combinations_by_provider();
    let by_provider = dollars(usual_by_provider as f64 * prices.metric);
    format!(
        "Assumed: {aws_ms} ms for a call to AWS and {google_ms} ms for one to Google, one after the other; {overhead_ms} ms for a run \
         beside its calls, {webhook_ms} ms for the webhook's; {cpu_ms} ms of a vCPU for each call; the renewer with {renewer_mb} MB; each \
         wake-up in a batch of its own; {log_bytes} bytes of logs for each run; {metrics} custom metrics in every hour, of {most} that there can be. A stack \
         that serves both Gmail and Outlook has {usual_by_provider} more in every hour, by provider, of {most_by_provider}: {by_provider} dollars a month. Not counted: cold starts, the \
         archive of events, alarms and the dashboard, agents' own work, what users ask of the API, free tiers, taxes.\n"
    )
}

/// The courses, one column each.
pub fn simulated(settings: &Settings, paces: Paces, courses: &[(&str, Measures)]) -> String {
    let Settings { mailboxes, days, mails_a_day, lost_pushes, quiet_after_minutes, at_once } =
        settings;
    let names: Vec<&str> = courses.iter().map(|(name, _)| *name).collect();
    let mut text = format!(
        "{} mailboxes, {days} days, {mails_a_day} mails a day in the mean (seven of ten mailboxes get none), {lost_pushes} of a thousand \
         pushes lost, compared after {quiet_after_minutes} minutes, {at_once} at once in each shard; {paces}\n\n| | {} |\n|---|{}\n",
        grouped(u64::from(*mailboxes)),
        names.join(" | "),
        "---|".repeat(courses.len())
    );
    let columns: Vec<_> = courses.iter().map(|(_, measures)| measures.rows()).collect();
    for index in 0..columns.first().map_or(0, Vec::len) {
        let cells: Vec<&str> = columns.iter().map(|rows| rows[index].1.as_str()).collect();
        writeln!(text, "| {} | {} |", columns[0][index].0, cells.join(" | ")).unwrap_or_default();
    }
    text
}

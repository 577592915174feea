//! What is to go wrong in a run, and how the run ended.

use std::collections::BTreeMap;

use crate::world::Fault;

/// Faults by the number of the call that they strike.
pub type Plan = BTreeMap<usize, Fault>;

/// How one run ended.
#[derive(Debug, Clone)]
pub struct Ran {
    /// Calls that could have gone wrong.
    pub calls: usize,
    pub verdict: Result<(), String>,
}

/// A plan in the syntax of `--faults`.
pub fn describe(plan: &Plan) -> String {
    let parts: Vec<String> = plan.iter().map(|(call, fault)| format!("{call}:{fault:?}")).collect();
    parts.join(",")
}

pub fn parse(text: &str) -> Result<Plan, String> {
    let part = |part: &str| {
        let (call, fault) =
            part.split_once(':').ok_or_else(|| format!("{part} is not like 3:CrashAfter"))?;
        let fault = Fault::ALL
            .into_iter()
            .find(|known| format!("{known:?}") == fault)
            .ok_or_else(|| format!("{fault} is no fault"))?;
        Ok((call.parse().map_err(|_| format!("{call} is no number"))?, fault))
    };
    text.split(',').filter(|part| !part.is_empty()).map(part).collect()
}

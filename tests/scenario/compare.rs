//! Whether two hosts agree.

use serde::Deserialize;

/// A line in which the hosts may differ. It is an error if they no longer do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Difference {
    /// The line up to `=>`: what was asked.
    pub asked: String,
    /// What the simulated kernel answers.
    pub simulated: String,
    /// What Wine answers.
    pub wine: String,
    /// Why, for people.
    pub reason: String,
}

impl Difference {
    fn covers(&self, simulated: &str, wine: &str) -> bool {
        let is = |line: &str, answer: &str| line.split_once(" => ") == Some((self.asked.as_str(), answer));
        is(simulated, &self.simulated) && is(wine, &self.wine)
    }
}

/// Compares the transcripts line by line.
///
/// # Errors
/// What is wrong, each in words: lines that differ though no difference allows it, lines that one host does not have,
/// and differences that have not occurred or give no reason.
pub fn compare(simulated: &[String], wine: &[String], differences: &[Difference]) -> Result<(), Vec<String>> {
    let mut wrong = Vec::new();
    let mut occurred = vec![false; differences.len()];
    for (number, (one, other)) in simulated.iter().zip(wine).enumerate().filter(|(_, (one, other))| one != other) {
        match differences.iter().position(|difference| difference.covers(one, other)) {
            Some(position) => occurred[position] = true,
            None => wrong.push(format!("line {}:\n  simulated: {one}\n  Wine:      {other}", number + 1)),
        }
    }
    if simulated.is_empty() || simulated.len() != wine.len() {
        wrong.push(format!("the simulated kernel wrote {} lines, Wine {}", simulated.len(), wine.len()));
    }
    for (difference, occurred) in differences.iter().zip(occurred) {
        if !occurred {
            wrong.push(format!("a listed difference has not occurred: {}", difference.asked));
        }
        if difference.reason.trim().is_empty() {
            wrong.push(format!("a listed difference gives no reason: {}", difference.asked));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

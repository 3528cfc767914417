//! What the tests write for the report of `cargo xtask verify`, collected over all that run in this process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use kernel_sim::{Activity, Kernel, Rule, Work, interleaving};
use netio_anycast_protocol::interface::QUERY_INTERFACE;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_tests::facts::{self, Cell, Distinct, Judgements, Overlap};

/// The points of a curve, about.
const POINTS: u64 = 100;

/// Whether anybody wants facts.
static WANTED: LazyLock<bool> = LazyLock::new(|| std::env::var_os(facts::FOLDER).is_some());

/// What a driver did, as the report names it.
pub(crate) fn name(activity: Activity) -> String {
    match activity {
        Activity::InternalControl(QUERY_INTERFACE) => "QUERY_INTERFACE".to_owned(),
        Activity::Control(code) | Activity::InternalControl(code) => Operation::from_control_code(code)
            .map_or_else(|| "other control codes".to_owned(), |operation| operation.definition().name.to_owned()),
        activity => activity.to_string(),
    }
}

/// By rule and operation, how often the rule was judged and broken.
type Cells = BTreeMap<(Rule, String), (u64, u64)>;

static CELLS: Mutex<Cells> = Mutex::new(BTreeMap::new());

/// Adds what was judged in a kernel that has come to its end, and writes it. To be called before anything is asserted of it.
pub(crate) fn judged(kernel: &Kernel) {
    note(kernel);
    // Nobody knows which kernel is the last.
    write_judgements();
}

/// Adds what was judged in one of many kernels. Whoever runs them all [writes it](write_judgements).
pub(crate) fn note(kernel: &Kernel) {
    if !*WANTED {
        return;
    }
    let mut cells = CELLS.lock().unwrap_or_else(PoisonError::into_inner);
    for judgement in kernel.judgements() {
        let cell = cells.entry((judgement.rule, name(judgement.activity))).or_default();
        *cell = (cell.0 + judgement.judged, cell.1 + judgement.broken);
    }
}

/// Writes what was judged so far.
pub(crate) fn write_judgements() {
    if !*WANTED {
        return;
    }
    let cells = CELLS.lock().unwrap_or_else(PoisonError::into_inner);
    let rules = Rule::ALL.iter().map(|rule| facts::Rule {
        name: format!("{rule:?}"),
        title: rule.title().to_owned(),
        page: format!("https://learn.microsoft.com/windows-hardware/drivers/{}", rule.page()),
        occasion: rule.occasion(),
    });
    let cells = cells.iter().map(|((rule, operation), (judged, broken))| Cell {
        rule: format!("{rule:?}"),
        operation: operation.clone(),
        judged: *judged,
        broken: *broken,
    });
    facts::write("simulated", &Judgements { rules: rules.collect(), cells: cells.collect() });
}

/// A race that is run with many seeds. What came of it is written when this is dropped.
pub(crate) struct Race {
    name: &'static str,
    every: u64,
    orders: BTreeSet<u64>,
    fact: facts::Race,
}

impl Race {
    /// `name` names the test; `schedules` is how many there will be.
    pub(crate) fn new(name: &'static str, schedules: u64) -> Self {
        let fact = facts::Race { shows: name.replace('_', " "), ..facts::Race::default() };
        Self { name, every: schedules.div_ceil(POINTS).max(1), orders: BTreeSet::new(), fact }
    }

    /// Runs the threads with a seed.
    pub(crate) fn run(&mut self, seed: u64, work: Vec<Work<'_>>) {
        let interleaving = interleaving(seed, work);
        self.orders.insert(interleaving.order);
        self.fact.schedules += 1;
        for ((open, calling), times) in interleaving.overlaps {
            let (open, calling) = (name(open), name(calling));
            let same = |overlap: &&mut Overlap| overlap.open == open && overlap.calling == calling;
            match self.fact.overlaps.iter_mut().find(same) {
                Some(overlap) => overlap.times += times,
                None => self.fact.overlaps.push(Overlap { open, calling, times }),
            }
        }
        if self.fact.schedules.is_multiple_of(self.every) {
            self.note();
        }
    }

    /// Adds a point to the curve.
    fn note(&mut self) {
        let orders = u64::try_from(self.orders.len()).unwrap_or(u64::MAX);
        self.fact.distinct.push(Distinct { schedules: self.fact.schedules, orders });
    }
}

impl Drop for Race {
    fn drop(&mut self) {
        if self.fact.distinct.last().is_none_or(|last| last.schedules != self.fact.schedules) {
            self.note();
        }
        facts::write(self.name, &self.fact);
    }
}

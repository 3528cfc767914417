//! The report on facts that were made up: what it must show, and what must turn its verdict.

use std::collections::BTreeMap;
use std::path::Path;

use netio_anycast_tests::facts::{
    Agreement, CallSite, Case, Cell, Control, Coverage, Distinct, Failure, Function, Fuzzing, Goal, Growth, Judgements,
    Overlap, Pairs, Race, Rule, Sent, Sites, Speed, Taken, write_to,
};

use super::section::{compact, grouped};
use super::{Facts, Part, Run, Section, Verdict, page, sections, summary};

fn text(text: &str) -> String {
    text.to_owned()
}

fn named<F>(fact: F) -> BTreeMap<String, F> {
    BTreeMap::from([(text("sample"), fact)])
}

fn run() -> Run<'static> {
    Run {
        image: Path::new("a.sys"),
        effort: text("little"),
        began: text("2026-11-24 05:00 UTC"),
        seconds: 1,
        missing: BTreeMap::from([("speed", text("valgrind is not there"))]),
    }
}

fn judgements() -> Judgements {
    let rule = Rule {
        name: text("PoolLeak"),
        title: text("all pool is freed"),
        page: text("https://page"),
        occasion: text("the end"),
    };
    let cell = Cell { rule: text("PoolLeak"), operation: text("DriverUnload"), judged: 12_345, broken: 0 };
    Judgements { rules: vec![rule], cells: vec![cell] }
}

fn site() -> CallSite {
    let failure = Failure { operation: text("CREATE"), outcome: text("STATUS_NO_MEMORY"), stack: vec![0x1005] };
    let symbol = "netio_anycast::pool::get(unsigned int) (src/pool.rs:60) in netio_anycast::create() (src/create.rs:1)";
    CallSite {
        service: text("ExAllocatePool2"),
        offset: 0x1000,
        symbol: Some(text(symbol)),
        failures: vec![failure],
        unreachable: None,
    }
}

fn speed() -> Speed {
    let taken = |subject: &str, instructions| Taken {
        subject: text(subject),
        instructions,
        nanoseconds: 5e3,
        ..Taken::default()
    };
    let case = |operation: &str, present| Case {
        operation: text(operation),
        present,
        taken: vec![taken("driver", 283.0), taken("pass-through in C", 39.0)],
    };
    let cases = vec![case("CREATE", 0), case("GET_TABLE", 0), case("GET_TABLE", 10), case("GET_TABLE", 1000)];
    Speed { cases, goals: vec![Goal { text: text("CREATE: at most 1.5 x"), measured: text("7.26 x"), met: true }] }
}

/// Facts of which everything holds.
fn facts() -> Facts {
    let overlap = Overlap { open: text("CREATE"), calling: text("DELETE"), times: 77 };
    let distinct = vec![Distinct { schedules: 10, orders: 6 }, Distinct { schedules: 20, orders: 9 }];
    let sent = Sent { operation: text("GET"), status: text("STATUS_NOT_FOUND (0xC0000225)"), times: 4321 };
    let function = Function { name: text("engine::serve"), blocks: 40, covered: 30, reason: Some(text("never asked")) };
    let listed = ["open below", "INVALID", "NOT_FOUND", "Wine looks the name up itself"].map(text);
    Facts {
        judgements: named(judgements()),
        controls: named(Control { rule: text("PoolLeak"), reported: vec![text("PoolLeak")] }),
        sites: named(Sites { sites: vec![site()] }),
        pairs: named(Pairs { pairs: vec![(text("ZwOpenKey"), text("ZwClose"), 3)], alone: 1 }),
        races: named(Race { shows: text("two at once"), schedules: 20, distinct, overlaps: vec![overlap] }),
        fuzzing: named(Fuzzing { seed: 1, loads: 2, irps: 4321, sent: vec![sent] }),
        coverage: named(Coverage {
            by: text("a breakpoint in every block"),
            functions: vec![function],
            growth: vec![Growth { irps: 1, blocks: 3 }, Growth { irps: 4321, blocks: 30 }],
            corpus: 5,
        }),
        speed: named(speed()),
        agreement: named(Agreement { lines: 1000, listed: vec![listed], wrong: vec![] }),
    }
}

fn parts() -> [Part; 1] {
    [Part::read("the image", "test loading::it_loads ... ok")]
}

fn shown(facts: &Facts) -> (Vec<Section>, String) {
    let sections = sections(&run(), facts, &parts());
    let page = page::page(&run(), &sections).into_string();
    (sections, page)
}

/// The identifiers of the sections that fail.
fn failing(facts: &Facts) -> Vec<&'static str> {
    let (sections, page) = shown(facts);
    let failing: Vec<_> =
        sections.iter().filter(|it| matches!(it.verdict, Verdict::Fails(_))).map(|it| it.id).collect();
    assert_eq!(failing.is_empty(), page.contains("Everything that was run holds"), "the page agrees with its sections");
    failing
}

#[test]
fn facts_that_hold_are_all_on_the_page_and_on_the_terminal() {
    let facts = facts();
    assert_eq!(failing(&facts), [""; 0]);
    let (sections, page) = shown(&facts);
    for part in [
        "12k",
        "all pool is freed",
        "\u{2713}1",
        "ExAllocatePool2",
        "pool::get src/pool.rs:60",
        "STATUS_NO_MEMORY",
        "Two at once",
        "77",
        "9 distinct orders in 20 schedules",
        "4.3k",
        "STATUS_NOT_FOUND",
        "engine::serve",
        "30 of 40",
        "never asked",
        "7.26 x",
        "<svg",
        "Wine looks the name up itself",
        "it loads",
    ] {
        assert!(page.contains(part), "{part:?} is not on the page");
    }
    assert!(!page.contains("<script") && !page.contains("NaN"), "a page without scripts");
    let table = summary(&sections).to_string();
    for part in ["12,345", "judgements", "4,321", "1,000", "lines compared"] {
        assert!(table.contains(part), "{part:?} is not in\n{table}");
    }
}

#[test]
fn what_was_not_run_is_said_with_the_reason() {
    let (sections, page) = shown(&Facts::default());
    let not_run: Vec<_> =
        sections.iter().filter(|it| matches!(it.verdict, Verdict::NotRun(_))).map(|it| it.id).collect();
    assert_eq!(not_run, ["rules", "faults", "schedules", "fuzzing", "coverage", "speed", "agreement"]);
    assert!(page.contains("valgrind is not there") && page.contains("has written nothing"), "{page}");
    assert!(summary(&sections).to_string().contains("valgrind is not there"));
}

#[test]
fn a_violation_is_marked_in_its_cell_and_turns_the_verdict() {
    let mut facts = facts();
    facts.judgements.get_mut("sample").expect("it is there").cells[0].broken = 2;
    assert_eq!(failing(&facts), ["rules"]);
    let (_, page) = shown(&facts);
    assert!(page.contains("class=\"broken\"") && page.contains("broken: PoolLeak during DriverUnload"), "{page}");
}

#[test]
fn a_control_that_is_not_caught_or_missing_turns_the_verdict() {
    for reported in [vec![], vec![text("IrpLost")], vec![text("PoolLeak"), text("IrpLost")]] {
        let mut facts = facts();
        facts.controls = named(Control { rule: text("PoolLeak"), reported });
        assert_eq!(failing(&facts), ["rules"]);
    }
    let facts = Facts { controls: BTreeMap::new(), ..facts() };
    assert_eq!(failing(&facts), ["rules"]);
}

#[test]
fn a_site_that_never_failed_turns_the_verdict_unless_it_can_t_be_reached() {
    let with = |unreachable: Option<&str>| {
        let site = CallSite { failures: vec![], unreachable: unreachable.map(text), ..site() };
        Facts { sites: named(Sites { sites: vec![site] }), ..facts() }
    };
    assert_eq!(failing(&with(None)), ["faults"]);
    assert!(shown(&with(None)).1.contains("never failed"));
    assert_eq!(failing(&with(Some("nobody calls it"))), [""; 0]);
    assert!(shown(&with(Some("nobody calls it"))).1.contains("nobody calls it"));
}

#[test]
fn threads_that_never_met_turn_the_verdict() {
    let mut facts = facts();
    facts.races.get_mut("sample").expect("it is there").overlaps.clear();
    assert_eq!(failing(&facts), ["schedules"]);
}

#[test]
fn kernels_that_disagree_turn_the_verdict() {
    let mut facts = facts();
    facts.agreement.get_mut("sample").expect("it is there").wrong = vec![text("line 7 differs")];
    assert_eq!(failing(&facts), ["agreement"]);
    assert!(shown(&facts).1.contains("line 7 differs"));
}

#[test]
fn a_goal_that_is_missed_is_a_remark() {
    let mut facts = facts();
    facts.speed.get_mut("sample").expect("it is there").goals[0].met = false;
    assert_eq!(failing(&facts), [""; 0]);
    let (sections, page) = shown(&facts);
    assert!(sections.iter().any(|it| it.verdict == Verdict::Remark(text("1 of 1 goals are missed"))));
    assert!(page.contains("missed"));
}

#[test]
fn facts_are_read_as_they_were_written_and_others_are_refused() {
    let folder = std::env::temp_dir().join(format!("xtask-facts-{}", std::process::id()));
    write_to(&folder, "simulated", &judgements()).expect("the folder can be written");
    write_to(&folder, "a.b", &site_facts()).expect("the folder can be written");
    let facts = Facts::read(&folder).expect("they can be read");
    assert_eq!(facts.judgements["simulated"], judgements());
    assert_eq!(facts.sites["a.b"], site_facts());
    std::fs::write(folder.join("race.broken.json"), "{}").expect("the folder can be written");
    let error = Facts::read(&folder).expect_err("this is no race");
    assert!(error.to_string().contains("race.broken.json"), "{error}");
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
}

fn site_facts() -> Sites {
    Sites { sites: vec![site()] }
}

#[test]
fn numbers_are_written_as_people_read_them() {
    assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    assert_eq!([999, 1_000, 9_949, 12_345, 1_234_567].map(compact), ["999", "1.0k", "9.9k", "12k", "1.2M"]);
}

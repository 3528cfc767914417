//! `docs/anycastctl.md` has everything that there is.

use anycastctl::arguments::Arguments;
use anycastctl::failure::{Failure, FailureKind};
use clap::CommandFactory;

use crate::run;

const PAGE: &str = include_str!("../../../../docs/anycastctl.md");

#[test]
fn the_exit_codes_of_the_help() {
    let help = run(Err(Failure::not_windows()), "--help").stdout;
    let help = anstream::adapter::strip_str(&help).to_string();
    let codes: Vec<&str> = help.lines().skip_while(|line| !line.starts_with("Exit codes:")).skip(1).collect();
    assert_eq!(codes.len(), 8);
    for line in codes {
        let (code, meaning) = line.trim().split_once("  ").expect("a code and its meaning");
        assert!(PAGE.contains(&format!("| {code} | {meaning} |")), "the page lacks {code}: {meaning}");
    }
}

#[test]
fn every_command_and_every_option() {
    for command in Arguments::command().get_subcommands() {
        let name = command.get_name();
        let start =
            PAGE.find(&format!("\nanycastctl {name} ")).or_else(|| PAGE.find(&format!("\nanycastctl {name}\n")));
        let start = start.unwrap_or_else(|| panic!("the page lacks a synopsis of {name}"));
        // It may go on over several lines.
        let rest = &PAGE[start + 1..];
        let end = ["\nanycastctl", "```"].iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
        let synopsis = &rest[..end];
        let options = command.get_arguments().filter_map(|argument| argument.get_long());
        for option in options.filter(|option| !["help", "json"].contains(option)) {
            assert!(synopsis.contains(&format!("--{option}")), "the synopsis of {name} lacks --{option}");
        }
    }
}

#[test]
fn every_kind_of_failure() {
    for kind in FailureKind::ALL {
        let name = serde_json::to_value(kind).expect("it is text");
        let name = name.as_str().expect("it is text");
        assert!(PAGE.contains(&format!("`{name}`")), "the page lacks the kind {name}");
    }
}

//! Command lines that are not understood, help, and the wrong system.

use anycastctl::failure::Failure;
use insta::assert_snapshot;

use crate::fake::Fake;
use crate::{run, transcript};

#[test]
fn help() {
    let platform = Fake::with_model(|_| {});
    assert_snapshot!(transcript(
        &platform,
        &[
            "--help",
            "install --help",
            "uninstall --help",
            "add --help",
            "delete -h",
            "get -h",
            "list --help",
            "hold --help",
            "apply --help",
            "watch -h",
            "leases --help",
            "bench --help",
            "selftest --help",
            "doctor -h",
            "stats -h",
            "completions -h",
            "--version"
        ],
    ));
}

#[test]
fn command_lines_that_are_wrong() {
    let platform = Fake::with_model(|_| {});
    assert_snapshot!(transcript(
        &platform,
        &[
            "lsit",
            "add 192.0.2.1",
            "add 192.0.2.300 --interface 5",
            "add 192.0.2.1/24 --interface 5",
            "add 2001:db8::1/32 --interface 5",
            "add 192.0.2.300/32 --interface 5",
            "add fe80::1%5 --interface 5",
            "add 192.0.2.1 --interface 0",
            "add 192.0.2.1 --interface 4294967296",
            "add 192.0.2.1 --interface 0x",
            "add 192.0.2.1 --interface 0x+1",
            "add 192.0.2.1 --interface 0x0",
            "add 192.0.2.1 --interface alias:",
            "add 192.0.2.1 --interface \"\"",
            "list --family ipv5",
            "leases --process 0",
            "hold --interface 5",
            "hold 192.0.2.1",
            "hold 192.0.2.1 --interface 5 --rise 3",
            "hold 192.0.2.1 --interface 5 --health check --interval 0s",
            "hold 192.0.2.1 --interface 5 --health check --interval soon",
            "hold 192.0.2.1 --interface 5 --health check --fall 0",
            "bench --count 0",
            "completions cmd",
            "--json lsit",
            "add --json 192.0.2.300 --interface 5",
        ],
    ));
}

#[test]
fn blanks_in_an_alias() {
    let platform = Fake::with_model(|_| {});
    assert_snapshot!(transcript(&platform, &["list --interface \"Local Area Connection\""]));
}

#[test]
fn every_shell_gets_completions_on_every_system() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(Err(Failure::not_windows()), &format!("completions {shell}"));
        assert_eq!(script.exit_code, 0);
        for word in ["anycastctl", "uninstall", "completions", "--interface"] {
            assert!(script.stdout.contains(word.trim_start_matches("--")), "{shell} does not know {word}");
        }
        let json = run(Err(Failure::not_windows()), &format!("--json completions {shell}"));
        let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("a document");
        assert_eq!((json["shell"].as_str(), json["script"].as_str()), (Some(shell), Some(&*script.stdout)));
    }
}

#[test]
fn another_system_than_windows() {
    let mut text = String::new();
    for command_line in ["list", "--json list"] {
        let output = run(Err(Failure::not_windows()), command_line);
        text += &anstream::adapter::strip_str(&(output.stdout + &output.stderr)).to_string();
    }
    assert_snapshot!(text);
}

#[cfg(not(windows))]
#[test]
fn the_program_itself() -> std::io::Result<()> {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_anycastctl")).args(["--json", "list"]).output()?;
    let expected = run(Err(Failure::not_windows()), "--json list");
    assert_eq!(output.status.code(), Some(expected.exit_code));
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected.stdout);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");

    let with_colours = run(Err(Failure::not_windows()), "list").stderr;
    let without = anstream::adapter::strip_str(&with_colours).to_string();
    assert_ne!(with_colours, without);
    // What is piped has no colours unless they are asked for, and whoever sets NO_COLOR never gets any.
    for (environment, expected) in [
        (&[][..], &without),
        (&[("CLICOLOR_FORCE", "1")], &with_colours),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &without),
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_anycastctl"));
        command.arg("list").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").envs(environment.iter().copied());
        let output = command.output()?;
        assert!(output.stdout.is_empty());
        assert_eq!(&String::from_utf8_lossy(&output.stderr), expected, "{environment:?}");
    }
    Ok(())
}

/// `script` of util-linux, which every Debian has, gives the program a terminal.
#[cfg(target_os = "linux")]
#[test]
fn colours_are_for_terminals() -> std::io::Result<()> {
    let expected = run(Err(Failure::not_windows()), "list").stderr.replace('\n', "\r\n");
    let without = anstream::adapter::strip_str(&expected).to_string();
    for (environment, expected) in [(&[][..], &expected), (&[("NO_COLOR", "1")], &without)] {
        let mut command = std::process::Command::new("script");
        command.args(["-qec", concat!(env!("CARGO_BIN_EXE_anycastctl"), " list"), "/dev/null"]);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR").env("TERM", "xterm").envs(environment.iter().copied());
        let output = command.stdin(std::process::Stdio::null()).output()?;
        assert_eq!(&String::from_utf8_lossy(&output.stdout), expected, "{environment:?}");
    }
    Ok(())
}

//! `eventloader` without an argument: is somebody who sees it for the first time told how to begin, and a
//! script what it forgot?

use std::process::Command;

use crate::support::{
    events::plain_events,
    terminal::on_a_terminal,
    workdir::{LOADER, Workdir},
};

#[test]
fn a_terminal_is_told_three_commands_that_work_in_their_order() {
    let dir = Workdir::new();
    // Of a type that no built-in catalog has.
    let own = |line: String| line.replace("account", "customer").replace("transaction", "shop");
    let lines: Vec<_> = plain_events(1, 200, 600).into_iter().map(own).collect();
    dir.write_lines("in/events.json", lines);
    let mut command = Command::new(LOADER);
    command.current_dir(dir.path(""));
    let (status, said) = on_a_terminal(command, drop);
    assert_eq!(status.code(), Some(2), "nothing was asked for: {said}");
    let commands = said.lines().filter_map(|line| line.trim_end().strip_prefix("  eventloader "));
    // Behind two blanks and more, a word about the command.
    let commands: Vec<_> = commands.map(|line| line.split("   ").next().unwrap().trim()).collect();
    assert_eq!(commands.len(), 3, "{said}");
    for command in commands {
        dir.bare_loader().args(command.split(' ')).succeeds();
    }
    let verified = dir.bare_loader().args(["verify", "lake"]).succeeds();
    assert!(verified.stderr.contains("200 rows"), "{verified}");
    assert!(fs_err::read_to_string(dir.path("lake.html")).unwrap().contains(">200<"));
    // And one for who has no events, but datagen's.
    let load = said
        .lines()
        .find_map(|line| line.trim_end().split_once("datagen ")?.1.split_once(" && eventloader "));
    let (generate, load) = load.unwrap_or_else(|| panic!("{said}"));
    assert!(generate.ends_with(" -b in"), "{said}");
    let other = Workdir::new();
    other.write_lines("in/events.json", plain_events(1, 200, 600));
    other.bare_loader().args(load.split(' ')).succeeds();
}

#[test]
fn a_script_is_told_what_is_missing() {
    let outcome = Workdir::new().bare_loader().exits(2);
    outcome.says(&["--source-file"]);
    assert_eq!(outcome.stdout, "");
}

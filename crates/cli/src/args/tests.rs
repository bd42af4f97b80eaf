//! The help of every command: a text for each argument, the command's own options first.

use super::Args;
use clap::{Command, CommandFactory};

const GLOBAL: &str = "Global options";

/// Every command that help shows, with its name.
fn commands(command: &Command, name: String, all: &mut Vec<(String, Command)>) {
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        commands(below, format!("{name} {}", below.get_name()), all);
    }
    all.push((name, command.clone()));
}

fn every_command() -> Vec<(String, Command)> {
    let mut whole = Args::command();
    whole.build();
    let mut all = Vec::new();
    commands(&whole, "postseal".to_owned(), &mut all);
    all.retain(|(name, _)| !name.split(' ').any(|word| word == "help"));
    assert!(all.len() > 30, "{}", all.len());
    all
}

#[test]
fn every_argument_has_a_text() {
    for (name, command) in every_command() {
        for argument in command.get_arguments() {
            let silent = argument.get_help().is_none() && !argument.is_hide_set();
            assert!(!silent, "{name}: {} has no help", argument.get_id());
        }
    }
}

#[test]
fn what_every_command_has_stands_in_one_group_at_the_end() {
    for (name, mut command) in every_command() {
        for argument in command.get_arguments() {
            let heading = argument.get_help_heading();
            assert_eq!(
                argument.is_global_set(),
                heading == Some(GLOBAL),
                "{name}: {argument}"
            );
        }
        let help = command.render_help().to_string();
        let last = help
            .lines()
            .rfind(|line| line.ends_with(':') && !line.starts_with(' '));
        assert_eq!(last, Some("Global options:"), "{name}");
    }
}

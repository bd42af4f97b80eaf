//! Commands as they are pasted: nothing of a policy is lost, and no word of a file is a command.

use super::command;

#[test]
fn what_is_not_there_is_added_and_what_is_there_loses_what_the_policy_lacks() {
    let cases = [
        ("a.example", None, "encrypt", "add 'a.example' encrypt"),
        (
            "[mx.example]:587",
            None,
            "secure match=nexthop ciphers=high",
            "add '[mx.example]:587' secure --attribute 'match=nexthop' --attribute 'ciphers=high'",
        ),
        (
            "a.example",
            Some("may"),
            "encrypt",
            "edit 'a.example' encrypt",
        ),
        (
            "a.example",
            Some("encrypt ciphers=high protocols=>=TLSv1.2 ciphers=high"),
            "encrypt ciphers=medium",
            "edit 'a.example' encrypt --attribute 'ciphers=medium' --without protocols",
        ),
    ];
    for (destination, now, policy, wanted) in cases {
        let offered = command(destination, now, policy);
        assert_eq!(offered, format!("postseal policy {wanted}"));
    }
}

#[test]
fn no_word_of_a_file_is_a_command_of_its_own() {
    let offered = command("a.example", None, "secure match=x';reboot;'");
    assert_eq!(
        offered,
        r"postseal policy add 'a.example' secure --attribute 'match=x'\'';reboot;'\'''"
    );
}

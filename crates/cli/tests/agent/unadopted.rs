//! Who begins with the console: nothing of Postseal is on this host yet.

use crate::scene::Scene;
use crate::site::Site;
use postseal_testkit::postfix_box::PostfixBox;
use std::fs;
use std::io::Read as _;
use std::process::Stdio;

#[test]
fn up_is_the_first_command_and_the_instance_is_adopted_from_there() {
    let scene = Scene::bare(PostfixBox::builder());
    let store = scene.named("store");
    assert!(!fs::exists(&store).unwrap(), "nothing is there yet");
    drop(scene);

    let site = Site::unadopted();
    assert!(site.log().contains("/welcome/"), "{}", site.log());
    let status = site.remote(&["status"]);
    assert_eq!(status.code(), "instance.not-adopted", "{status:?}");
    let adopted = site.remote(&["init"]);
    assert_eq!(adopted.exit, Some(0), "{adopted:?}");
    assert_eq!(site.remote(&["status"]).exit, Some(0));
}

#[test]
fn the_first_link_leads_to_the_address_that_is_listened_on() {
    let scene = Scene::bare(PostfixBox::builder());
    let config = scene.named("postseal.toml");
    fs::write(&config, "[console]\nuser = \"nobody\"\n").unwrap();
    let mut up = scene
        .command(&["--config", &config, "up", "--listen=127.0.0.7:8479"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut out = up.stdout.take().unwrap();
    let mut piece = [0; 512];
    while !said.contains("/welcome/") {
        let read = out.read(&mut piece).unwrap();
        assert!(read > 0, "it has ended: {said}");
        said.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    let pid = rustix::process::Pid::from_child(&up);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    up.wait().unwrap();
    assert!(said.contains("http://127.0.0.7:8479/welcome/"), "{said}");
}

//! The laws of the house, asked of the house.

#[test]
fn the_house_is_tidy() {
    let report = xtask::tidy::run(&xtask::workspace_root()).unwrap();
    assert!(report.offences.is_empty(), "\n{report}");
}

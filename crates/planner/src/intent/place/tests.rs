//! Options read back as the places that they name.

use super::*;

#[test]
fn the_options_of_places_are_those_that_name_them() {
    let client = |transport: Option<&str>| Place::Client(transport.map(str::to_owned));
    let sni = |name: &str| Place::name(name).unwrap();
    for (places, options) in [
        (vec![], ""),
        (vec![Place::Server], ""),
        (vec![Place::Port(25)], " --service 25"),
        (
            vec![Place::Port(587), Place::Port(465)],
            " --service 587,465",
        ),
        (
            vec![sni("A.example.org"), sni(".example.net")],
            " --sni a.example.org,.example.net",
        ),
        (vec![client(None)], " --client"),
        (vec![client(Some("relay"))], " --client --transport relay"),
        // One command names places of one kind.
        (vec![Place::Port(25), sni("a.example.org")], " --service 25"),
    ] {
        let named: Vec<&Place> = places.iter().collect();
        assert_eq!(Place::options(&named), options, "{places:?}");
    }
}

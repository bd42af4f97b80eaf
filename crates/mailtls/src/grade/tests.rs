//! Good and bad cipher grades.

use super::*;

#[test]
fn every_grade_parses_in_any_case_and_prints_itself() {
    for grade in Grade::ALL {
        assert_eq!(grade.name().parse(), Ok(grade));
        assert_eq!(grade.name().to_uppercase().parse(), Ok(grade));
        assert!(grade.promises().ends_with('.'));
    }
}

#[test]
fn what_postfix_rejects_is_rejected() {
    for bad in [
        "",
        "hihg",
        "higest",
        " high",
        "strong",
        "aNULL",
        "high,medium",
    ] {
        assert!(bad.parse::<Grade>().is_err(), "{bad:?}");
    }
}

#[test]
fn only_low_and_export_are_obsolete() {
    for grade in Grade::ALL {
        let gone = matches!(grade, Grade::Low | Grade::Export);
        assert_eq!(grade.obsolete_since(), gone.then_some("3.8"));
        assert_eq!(grade.replacement(), gone.then_some(Grade::Medium));
    }
}

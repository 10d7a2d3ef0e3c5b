//! What the person at the terminal can do now: addresses and log-ins.

use std::fmt::Write as _;

use rovuma_lab::{
    config::{PEOPLE, people},
    layout::Layout,
    plan::CountryPlan,
};

/// The three to try first, in Mozambique, and what each does.
const FIRST: [(&str, &str); 3] = [
    ("officer.prm", "writes and sends alerts, reads what arrives"),
    ("supervisor.prm", "releases what needs a second person"),
    ("auditor.prm", "searches the audit log and proves what happened"),
];

/// The demo log-ins: which to try first and how, then every one of each country once.
pub(crate) fn log_ins(countries: &[(&CountryPlan, &Layout)]) -> String {
    let mut text = String::new();
    // Writing to a text never fails.
    let _ = writeln!(text, "Log-ins to try first:");
    if let Some((_, layout)) = countries.first() {
        let config = layout.config("rovumactl");
        for (login, does) in FIRST {
            let password = layout.secret(login);
            let _ = writeln!(text, "  {login:16} {does}; password in {}", password.display());
        }
        let _ = writeln!(
            text,
            "  Give each log-in a name: target/quickstart/rovumactl --as officer --config {} login",
            config.display()
        );
    }
    let _ = writeln!(text, "\nAll log-ins, one of each role in each agency:");
    for (plan, layout) in countries {
        let _ = writeln!(text, "  {}, passwords in {}", plan.country, layout.secret("").display());
        for agency in plan.served() {
            let of_agency = people(plan).into_iter().filter(|(code, _)| *code == agency);
            let logins: Vec<String> = of_agency.map(|(_, person)| person.login).collect();
            let _ = writeln!(text, "    {agency:10} {}", logins.join(" "));
        }
    }
    let roles: Vec<String> = PEOPLE.iter().map(|(word, role)| format!("{word}: {role}")).collect();
    let _ = write!(text, "  {}", roles.join(", "));
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_log_in_is_listed_once_under_its_country_and_three_come_first() {
        let plans = [CountryPlan::mozambique(), CountryPlan::tanzania()];
        let layouts = plans.each_ref().map(|plan| Layout::new(Path::new("/lab"), plan.country));
        let text = log_ins(&[(&plans[0], &layouts[0]), (&plans[1], &layouts[1])]);
        let (first, all) = text.split_once("All log-ins").expect("two parts");
        assert_eq!(first.matches("password in /lab/mz/secrets/").count(), 3, "{first}");
        let (mz, tz) = all.split_once("  tz,").expect("two countries");
        for (part, plan) in [(mz, &plans[0]), (tz, &plans[1])] {
            for (_, person) in people(plan) {
                let listed = part.split_whitespace().filter(|word| *word == person.login).count();
                assert_eq!(listed, 1, "{}: {part}", person.login);
            }
        }
        for (login, _) in FIRST {
            assert!(people(&plans[0]).iter().any(|(_, person)| person.login == login), "{login}");
        }
    }
}

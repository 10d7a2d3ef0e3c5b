//! `categories.md` has, between two marks, what each category of alerts needs. `ROVUMA_REWRITE=1` writes it anew.

use rovuma_schemas::{
    CodeLists, Locale, SubjectKind,
    alert::{Category, Life, Needs},
};

const BEGIN: &str = "<!-- from the rules -->";
const END: &str = "<!-- end -->";

#[test]
fn the_page_of_categories_says_what_the_rules_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/categories.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("the first mark");
    let (_, after) = rest.split_once(END).expect("the second mark");
    let expected = format!("{before}{BEGIN}\n{}{END}{after}", table());
    if std::env::var_os("ROVUMA_REWRITE").is_some() {
        std::fs::write(path, &expected).expect("written");
        return;
    }
    assert!(page == expected, "schemas/categories.md is out of date: ROVUMA_REWRITE=1 writes it anew");
}

fn table() -> String {
    let mut table =
        "| category | | needs | of which one is | may ask to | offence | decision | ends after |\n\
                     |---|---|---|---|---|---|---|---|\n"
            .to_owned();
    let list = CodeLists::shipped().get("categories").expect("the list");
    for category in Category::ALL {
        let rule = category.rule();
        let labels = &list.find(category.as_str()).expect("an entry").labels;
        let names: Vec<&str> = Locale::ALL.iter().map(|locale| labels.get(*locale)).collect();
        let needs = match rule.needs {
            Needs::One(kind) => format!("one of `{}`", kind.field()),
            Needs::Any => {
                let kinds: Vec<String> =
                    SubjectKind::ALL.iter().map(|kind| format!("`{}`", kind.field())).collect();
                format!("one of {}", kinds.join(", "))
            }
            Needs::Nothing => "no subject".to_owned(),
        };
        let codes =
            |codes: &[&str]| codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
        let required = |required: bool| if required { "yes" } else { "" };
        let ends = match rule.validity {
            Life::Years(1) => "1 year".to_owned(),
            Life::Years(years) => format!("{years} years"),
            Life::Days(days) => format!("{days} days"),
        };
        let cells: [&str; 8] = [
            &format!("`{category}`"),
            &names.join(" · "),
            &needs,
            &codes(rule.roles),
            &codes(rule.actions),
            required(rule.offence_required),
            required(rule.decision_required),
            &ends,
        ];
        table += &format!("| {} |\n", cells.join(" | "));
    }
    table
}

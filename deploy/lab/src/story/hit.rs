//! A scanned plate and a scanned passport are answered, and what is certain is told by itself: screened at Namoto, told to Tanzania, asked
//! back, confirmed, acted on; a character that is misread; a stolen passport on its way out, which the other bank expects; withdrawn, and the post
//! no longer stops anybody. Then a discreet check.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rovuma_schemas::{Timestamp, mrz::check_digit};
use serde_json::{Value, json};

use super::{SENT_AGAIN, Story, text};
use crate::{border::Border, keys::path};

const MOTORCYCLE: &str = include_str!("../../../../schemas/examples/valid/alert-stolen-motorcycle.json");
const PASSPORTS: &str = include_str!("../../../../schemas/examples/valid/alert-stolen-passports.json");
const DISCREET: &str = include_str!("../../../../schemas/examples/valid/alert-person-check.json");

const OWNER: &str = "tz.tpf";
const REPORTER: &str = "mz.prm";
const POST: [&str; 4] = ["--post", "namoto_kilambo", "--direction", "entry"];

/// How long something may take that takes a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked at.
const POLL: Duration = Duration::from_millis(50);

/// Plays the story, and returns how many steps it had.
///
/// # Errors
/// When a step does not end as it should; the error says which.
pub async fn play(border: &mut Border, say: &(dyn Fn(&str) + Sync)) -> Result<usize> {
    let mut story = Story::new(border, say);
    let mut numbers = Numbers::new();
    numbers.known = owners_hits(&mut story).await?;
    let alert = stolen_motorcycle(&mut story, &numbers).await?;
    let hit = stopped_at_the_ferry(&mut story, &mut numbers).await?;
    confirmed(&mut story, &hit).await?;
    misread(&mut story, &numbers).await?;
    stolen_passports(&mut story, &mut numbers).await?;
    on_its_way(&mut story, &mut numbers).await?;
    withdrawn(&mut story, &alert, &hit, &numbers).await?;
    discreet(&mut story, &mut numbers).await?;
    Ok(story.steps)
}

/// Numbers of this run: another run's alerts may still be in force.
struct Numbers {
    plate: String,
    misread: String,
    series: u32,
    /// Hits that the owner has already: of this run, and of earlier ones.
    known: BTreeSet<String>,
}

impl Numbers {
    fn new() -> Self {
        let seconds =
            u32::try_from(Timestamp::system_now().as_micros() / 1_000_000 % 1_000_000).unwrap_or_default();
        let digits = seconds % 1000;
        // B stands last: it is what is misread.
        let letter =
            |place: u32| char::from(b'A' + u8::try_from(seconds / 1000 / place % 26).unwrap_or_default());
        let letters = [letter(26), letter(1)].iter().collect::<String>();
        Self {
            plate: format!("MC {digits:03} {letters}B"),
            misread: format!("MC {digits:03} {letters}8"),
            series: seconds,
            known: BTreeSet::new(),
        }
    }

    fn passport(&self, place: u32) -> String {
        format!("T{:06}{:02}", self.series, place)
    }
}

async fn stolen_motorcycle(story: &mut Story<'_>, numbers: &Numbers) -> Result<String> {
    let mut draft: Value = serde_json::from_str(MOTORCYCLE)?;
    draft["recipients"] = json!([REPORTER, "mz.senami"]);
    let vehicle = &mut draft["body"]["subjects"]["vehicles"][0];
    vehicle["plate"] = json!({ "number": numbers.plate, "country": "TZA" });
    vehicle["chassis_number"] = json!(format!("MD2STORY{:09}", numbers.series));
    vehicle["engine_number"] = json!(format!("DUZSTORY{:06}", numbers.series));
    let what = "sends an alert about a stolen motorcycle to Mozambique";
    let file = written(story, "story-motorcycle.json", &draft)?;
    let words = ["send", &file, "--release", "--despite-duplicates", SENT_AGAIN];
    let sent = story.does(OWNER, "officer", what, &words).await?;
    story.delivered(OWNER, "officer", text(&sent, "id")).await?;
    Ok(text(&sent, "id").to_owned())
}

/// The plate is screened at the ferry until the alert is in force there, and the hit is told by itself. Returns the hit's short reference.
async fn stopped_at_the_ferry(story: &mut Story<'_>, numbers: &mut Numbers) -> Result<String> {
    let plate = numbers.plate.replace(' ', "");
    let words: Vec<&str> =
        ["screen", &plate, "--kind", "plate", "--state", "TZA"].into_iter().chain(POST).collect();
    let began = Instant::now();
    let stopped = screened(story, "screens its plate at Namoto", &words, "hit").await?;
    let found = &stopped["hits"][0];
    ensure!(found["forwarded"] == true && found["action"] == "seize", "{stopped}");
    story.tell(&format!("→ HIT: {}, and its owner is told without anybody's hand", text(found, "action")));
    let hit = owners_hit(story, numbers).await?;
    story.tell(&format!("→ {} s after the scan it is at {OWNER}: {hit}", seconds(began)));
    Ok(hit)
}

async fn confirmed(story: &mut Story<'_>, hit: &str) -> Result<()> {
    let until = Timestamp::system_now().plus(Duration::from_secs(2 * 60 * 60)).to_string();
    let words = [
        "hit",
        "ask",
        hit,
        "--held-until",
        &until,
        "--contact",
        "Oficial de serviço, Namoto",
        "--phone",
        "+258840000404",
        "--yes",
    ];
    let sent =
        story.does(REPORTER, "officer", "asks whether it is so: the motorcycle is held", &words).await?;
    story.delivered(REPORTER, "officer", text(&sent, "id")).await?;
    let words = [
        "hit",
        "confirm",
        hit,
        "--confirmed",
        "--contact",
        "Ofisa wa zamu, Mtwara",
        "--phone",
        "+255740000202",
        "--yes",
    ];
    let sent = story.does(OWNER, "officer", "confirms it", &words).await?;
    story.delivered(OWNER, "officer", text(&sent, "id")).await?;
    let words = ["hit", "report", hit, "--act", "action", "--action", "seize", "--yes"];
    let sent = story.does(REPORTER, "officer", "reports that it was seized", &words).await?;
    story.delivered(REPORTER, "officer", text(&sent, "id")).await?;
    Ok(())
}

/// A character is misread: nobody elsewhere is told, and a person decides.
async fn misread(story: &mut Story<'_>, numbers: &Numbers) -> Result<()> {
    let words: Vec<&str> =
        ["screen", &numbers.misread, "--kind", "plate", "--state", "TZA"].into_iter().chain(POST).collect();
    let alike = screened(story, "reads B as 8 on another motorcycle", &words, "review").await?;
    ensure!(alike["hits"][0]["forwarded"] == false, "{alike}");
    let id = text(&alike["hits"][0], "id").to_owned();
    let words = ["watchlist", "decide", &id, "--different", "--reason", "STORY-1"];
    let decided = story.does(REPORTER, "officer", "compares, and lets it pass", &words).await?;
    ensure!(decided["state"] == "rejected", "{decided}");
    Ok(())
}

/// A series of blank passports is stolen, and one of them is scanned.
async fn stolen_passports(story: &mut Story<'_>, numbers: &mut Numbers) -> Result<()> {
    let mut draft: Value = serde_json::from_str(PASSPORTS)?;
    draft["recipients"] = json!([REPORTER, "mz.senami"]);
    draft["body"]["subjects"]["documents"] = json!([{
        "type": "passport", "issuer": "TZA", "status": "stolen_blank",
        "number": numbers.passport(0), "number_to": numbers.passport(49),
    }]);
    let file = written(story, "story-passports.json", &draft)?;
    let words = ["send", &file, "--release", "--despite-duplicates", SENT_AGAIN];
    let sent =
        story.does(OWNER, "officer", "sends an alert about fifty stolen blank passports", &words).await?;
    story.delivered(OWNER, "officer", text(&sent, "id")).await?;
    let zone = zone(&numbers.passport(17));
    let words: Vec<&str> = ["screen", &zone].into_iter().chain(POST).collect();
    let began = Instant::now();
    let stopped = screened(story, "puts a passport into the reader", &words, "hit").await?;
    ensure!(stopped["hits"][0]["forwarded"] == true, "{stopped}");
    let hit = owners_hit(story, numbers).await?;
    story.tell(&format!("→ one of the series: {} s after the scan it is at {OWNER}: {hit}", seconds(began)));
    Ok(())
}

/// Another of the series leaves Mozambique: the post on the other bank expects it before the ferry is there.
async fn on_its_way(story: &mut Story<'_>, numbers: &mut Numbers) -> Result<()> {
    let number = numbers.passport(23);
    let zone = zone(&number);
    let words = ["screen", &zone, "--post", POST[1], "--direction", "exit"];
    let began = Instant::now();
    screened(story, "scans another passport on its way out", &words, "hit").await?;
    owners_hit(story, numbers).await?;
    let words = ["watchlist", "expected", "--post", POST[1]];
    let what = "on the other bank looks what is coming";
    let mut expected = story.does(OWNER, "border", what, &words).await?;
    let desk = story.desk(OWNER, "border").await?;
    while !expected["items"].to_string().contains(&number) {
        ensure!(began.elapsed() < PATIENCE, "the next post does not expect it: {expected}");
        tokio::time::sleep(POLL).await;
        expected = desk.run(&words)?;
    }
    story.tell(&format!("→ {} s after the scan it is expected at Kilambo: {number}", seconds(began)));
    Ok(())
}

/// The alert is withdrawn: the post stops nobody, and the hit shows that there is nothing to act on any more.
async fn withdrawn(story: &mut Story<'_>, alert: &str, hit: &str, numbers: &Numbers) -> Result<()> {
    let words = ["alert", "withdraw", alert, "--reason", "purpose_achieved", "--submit", "--yes"];
    let kept = story.does(OWNER, "officer", "asks for the withdrawal of the first alert", &words).await?;
    let draft = text(&kept, "id").to_owned();
    let released = story.released(OWNER, &draft, &[]).await?;
    story.delivered(OWNER, "supervisor", &released).await?;
    let plate = numbers.plate.replace(' ', "");
    let words: Vec<&str> =
        ["screen", &plate, "--kind", "plate", "--state", "TZA"].into_iter().chain(POST).collect();
    screened(story, "screens the plate again", &words, "no_hit").await?;
    let shown = story.desk(REPORTER, "officer").await?.run(&["case", "show", hit])?;
    ensure!(shown["hit"]["must_release"] == true, "{shown}");
    story.tell("→ no hit; and the hit of before says that its alert is withdrawn");
    Ok(())
}

/// A discreet check: the booth sees no hit, the second line does.
async fn discreet(story: &mut Story<'_>, numbers: &mut Numbers) -> Result<()> {
    let mut draft: Value = serde_json::from_str(DISCREET)?;
    draft["recipients"] = json!([REPORTER]);
    draft["terms"]["handling"] = json!({ "code": "H1" });
    let number = numbers.passport(77);
    draft["body"]["subjects"]["persons"][0]["documents"] =
        json!([{ "type": "passport", "issuer": "TZA", "number": number }]);
    draft["body"]["subjects"]["vehicles"] = json!([]);
    let file = written(story, "story-discreet.json", &draft)?;
    let kept = story
        .does(OWNER, "officer", "writes an alert: check a traveller discreetly", &["send", &file])
        .await?;
    let draft = text(&kept, "id").to_owned();
    story.does(OWNER, "officer", "hands it to a supervisor", &["draft", "submit", &draft]).await?;
    let released = story.released(OWNER, &draft, &["--despite-duplicates", SENT_AGAIN]).await?;
    story.delivered(OWNER, "supervisor", &released).await?;
    // The second line sees when it is in force; the booth must not.
    let zone = zone(&number);
    let look: Vec<&str> = ["screen", &zone, "--purpose", "detection", "--reference", "STORY-2"].to_vec();
    screened(story, "of the second line looks it up", &look, "hit").await?;
    let words: Vec<&str> = ["screen", &zone].into_iter().chain(POST).collect();
    let booth = story.does(REPORTER, "border", "screens the passport at the booth", &words).await?;
    ensure!(booth["verdict"] == "no_hit" && booth["hits"].as_array().is_some_and(Vec::is_empty), "{booth}");
    story.tell("→ no hit: the booth must not notice");
    let crossed = second_line_told(story, &number).await?;
    story.tell(&format!("→ crossed at {crossed}; {OWNER} is told as well"));
    owners_hit(story, numbers).await.map(drop)
}

/// Waits until the second line sees that this number crossed and that its owner is being told; the post.
async fn second_line_told(story: &mut Story<'_>, number: &str) -> Result<String> {
    let words = ["watchlist", "candidates", "--state", "forwarded"];
    let mut seen = story.does(REPORTER, "officer", "of the second line is told", &words).await?;
    let (desk, began) = (story.desk(REPORTER, "officer").await?, Instant::now());
    loop {
        let found = &seen["items"][0];
        if found["discreet"] == true && found["value"] == number {
            return Ok(text(found, "post").to_owned());
        }
        // A hit is forwarded once the gateway has taken it.
        ensure!(began.elapsed() < PATIENCE, "the second line was not told: {seen}");
        tokio::time::sleep(POLL).await;
        seen = desk.run(&words)?;
    }
}

/// Screens until the verdict is this one: an alert is in force at the post within five seconds. The first scan is shown as a step.
async fn screened(story: &mut Story<'_>, what: &str, words: &[&str], verdict: &str) -> Result<Value> {
    let who = if words.contains(&"--purpose") { "officer" } else { "border" };
    let mut answer = story.does(REPORTER, who, what, words).await?;
    let (desk, began) = (story.desk(REPORTER, who).await?, Instant::now());
    while answer["verdict"] != verdict {
        ensure!(began.elapsed() < PATIENCE, "the verdict is not {verdict}: {answer}");
        tokio::time::sleep(POLL).await;
        answer = desk.run(words)?;
    }
    Ok(answer)
}

/// The next hit that comes to the owner; its short reference.
async fn owners_hit(story: &mut Story<'_>, numbers: &mut Numbers) -> Result<String> {
    let began = Instant::now();
    loop {
        let hits = owners_hits(story).await?;
        if let Some(new) = hits.difference(&numbers.known).next().cloned() {
            numbers.known.insert(new.clone());
            return Ok(new);
        }
        ensure!(began.elapsed() < PATIENCE, "the hit did not come to its owner");
        tokio::time::sleep(POLL).await;
    }
}

/// The short references of the owner's newest hits.
async fn owners_hits(story: &mut Story<'_>) -> Result<BTreeSet<String>> {
    let desk = story.desk(OWNER, "officer").await?;
    let listed = desk.run(&["case", "list", "--kind", "hit", "--limit", "50"])?;
    let hits = listed["items"].as_array().cloned().unwrap_or_default();
    Ok(hits.iter().map(|hit| text(hit, "short_reference").to_owned()).collect())
}

fn written(story: &Story<'_>, name: &str, draft: &Value) -> Result<String> {
    let file = story.border.tz.layout().data(name);
    fs::write(&file, format!("{draft:#}\n")).with_context(|| format!("writing {}", file.display()))?;
    Ok(path(&file))
}

/// The machine readable zone of an invented traveller's passport with this number (ICAO Doc 9303 part 4).
pub fn zone(number: &str) -> String {
    let digit = |field: &str| check_digit(field).map(String::from).unwrap_or_default();
    let number = format!("{number:<<9}");
    let number = format!("{number}{}", digit(&number));
    let (birth, expiry) = (format!("851201{}", digit("851201")), format!("310630{}", digit("310630")));
    let optional = format!("{}<", "<".repeat(14));
    let composite = digit(&format!("{number}{birth}{expiry}{optional}"));
    format!("{:<<44}\n{number}TZA{birth}M{expiry}{optional}{composite}", "P<TZARASHIDI<<KUBUNI<SALUM")
}

fn seconds(began: Instant) -> String {
    format!("{:.1}", began.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use rovuma_schemas::mrz::{MrzZone, zone_lines};

    #[test]
    fn the_zone_of_the_story_is_right() {
        let text = super::zone("T12345617");
        let (lines, _) = zone_lines(&text);
        let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
        let zone = MrzZone::read(&lines).expect("a passport");
        assert_eq!((zone.number.as_str(), zone.wrong), ("T12345617", vec![]));
    }
}

//! Users by API.

use reqwest::Method;
use rovuma_schemas::{AgencyCode, audit::AuditEvent};
use serde_json::{Value, json};

use crate::support::{ADMIN, FOREIGN_ADMIN, Fixture, OFFICER, PASSWORD};

/// The id of the user with this log-in name.
pub(crate) async fn id_of(service: &Fixture, admin: &str, login: &str) -> String {
    let list = service.api(Method::GET, "/v1/users", admin, None).await;
    let items = list.body["items"].as_array().expect("a list");
    let user = items.iter().find(|user| user["login"] == login).expect("the user");
    user["id"].as_str().expect("an id").to_owned()
}

async fn create(service: &Fixture, admin: &str, login: &str) -> String {
    let draft = json!({"login": login, "name": "A name", "roles": []});
    let created = service.api(Method::POST, "/v1/users", admin, Some(draft)).await;
    created.text("/user/id").to_owned()
}

#[tokio::test]
async fn colleagues_see_names_and_nobody_else_does() {
    let service = Fixture::start().await;
    let (admin, officer) = (service.token(ADMIN).await, service.token(OFFICER).await);
    let foreign_admin = service.token(FOREIGN_ADMIN).await;
    let id = create(&service, &admin, "rui.sitoe").await;
    let nobody = "01a2b3c4-0000-7000-8000-000000000000";
    let ask = format!("/v1/names?ids={id},{nobody}");
    for colleague in [&admin, &officer] {
        let names = service.api(Method::GET, &ask, colleague, None).await;
        assert_eq!(names.body, json!({"items": [{"id": id, "name": "A name"}]}));
    }
    let elsewhere = service.api(Method::GET, &ask, &foreign_admin, None).await;
    assert_eq!((elsewhere.status.as_u16(), elsewhere.body), (200, json!({"items": []})));
    let too_many = vec![nobody; 21].join(",");
    for wrong in [String::new(), "x".to_owned(), format!("{id},"), too_many] {
        let refused = service.api(Method::GET, &format!("/v1/names?ids={wrong}"), &admin, None).await;
        assert_eq!((refused.status.as_u16(), refused.text("/code")), (400, "query"), "{wrong}");
    }
}

#[tokio::test]
async fn a_user_is_added_read_renamed_and_given_roles() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    let draft = json!({"login": "Rui.Sitoe", "name": " Rui Sitoe ", "roles": ["analyst"]});
    let created = service.api(Method::POST, "/v1/users", &admin, Some(draft)).await;
    assert_eq!(created.status, 201);
    let id = created.text("/user/id");
    let read = service.api(Method::GET, &format!("/v1/users/{id}"), &admin, None).await;
    assert_eq!((read.text("/login"), read.text("/name")), ("rui.sitoe", "Rui Sitoe"));
    assert_eq!((read.text("/agency"), &read.body["roles"]), ("mz.prm", &json!(["analyst"])));
    assert_eq!(read.body["must_change_password"], true);
    let renamed = service
        .api(Method::PATCH, &format!("/v1/users/{id}"), &admin, Some(json!({"name": "R. Sitoe"})))
        .await;
    assert_eq!(renamed.text("/name"), "R. Sitoe");
    let roles = Some(json!({"roles": ["supervisor", "liaison_officer"]}));
    let given = service.api(Method::PUT, &format!("/v1/users/{id}/roles"), &admin, roles).await;
    assert_eq!(given.body["roles"], json!(["liaison_officer", "supervisor"]));
    let events = service.audit().await;
    let of = |action: &str| {
        let about = |event: &&AuditEvent| event.object.as_ref().is_some_and(|object| object.id == id);
        events.iter().filter(about).find(|event| event.action.to_string() == action).expect("the event")
    };
    // Whose pseudonym it is, for the auditors of this agency.
    let created = of("user.create");
    assert_eq!((&*created.details["login"], &*created.details["name"]), ("rui.sitoe", "Rui Sitoe"));
    assert_eq!(created.agency.as_ref().map(AgencyCode::as_str), Some("mz.prm"));
    let renamed = &of("user.change").details;
    assert_eq!((&*renamed["name_before"], &*renamed["name"]), ("Rui Sitoe", "R. Sitoe"));
    assert_eq!(renamed["login"], "rui.sitoe");
    let change = events.iter().find(|event| event.action.to_string() == "role.change");
    let details = &change.expect("the event").details;
    assert_eq!(
        (details["given"].as_str(), details["taken"].as_str()),
        ("liaison_officer supervisor", "analyst")
    );
}

#[tokio::test]
async fn a_change_of_nothing_is_no_event() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    let id = id_of(&service, &admin, OFFICER).await;
    let before = service.audit().await.len();
    service.api(Method::PATCH, &format!("/v1/users/{id}"), &admin, Some(json!({"disabled": false}))).await;
    let same = Some(json!({"roles": ["liaison_officer"]}));
    service.api(Method::PUT, &format!("/v1/users/{id}/roles"), &admin, same).await;
    assert_eq!(service.audit().await.len(), before);
}

#[tokio::test]
async fn every_fault_of_a_draft_is_told_at_once() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    let draft = json!({"login": "a b", "name": "\n", "roles": ["analyst", "king", "agency_system"]});
    let refused = service.api(Method::POST, "/v1/users", &admin, Some(draft)).await;
    assert_eq!(refused.error(), (422, "body_faulty"));
    let faults = refused.body["faults"].as_array().expect("faults");
    let pointers: Vec<&Value> = faults.iter().map(|fault| &fault["pointer"]).collect();
    assert_eq!(pointers, ["/login", "/name", "/roles/1", "/roles/2"]);
}

#[tokio::test]
async fn roles_that_exclude_each_other_are_not_given_to_one_account() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    for role in ["auditor", "agency_admin", "data_protection_officer"] {
        let draft = json!({"login": "rui.sitoe", "name": "Rui Sitoe", "roles": [role, "liaison_officer"]});
        let refused = service.api(Method::POST, "/v1/users", &admin, Some(draft)).await;
        assert_eq!(refused.error(), (422, "body_faulty"), "{role}");
        assert_eq!(refused.text("/faults/0/code"), "role_alone", "{role}");
    }
    let unknown = json!({"login": "rui.sitoe", "name": "Rui Sitoe", "roles": ["officer"]});
    let refused = service.api(Method::POST, "/v1/users", &admin, Some(unknown)).await;
    assert!(
        refused.text("/faults/0/message").contains("liaison_officer"),
        "it names the roles that there are"
    );
}

#[tokio::test]
async fn unknown_fields_and_passwords_of_the_administrators_choice_are_refused() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    for extra in ["password", "agency", "id", "must_change_password"] {
        let mut draft = json!({"login": "rui.sitoe", "name": "Rui Sitoe", "roles": []});
        draft[extra] = json!("x");
        let refused = service.api(Method::POST, "/v1/users", &admin, Some(draft)).await;
        assert_eq!(refused.status, 422, "{extra}");
    }
}

#[tokio::test]
async fn a_taken_name_is_a_conflict_in_any_agency() {
    let service = Fixture::start().await;
    let foreign = service.token(FOREIGN_ADMIN).await;
    let draft = json!({"login": OFFICER.to_uppercase(), "name": "Another", "roles": []});
    let refused = service.api(Method::POST, "/v1/users", &foreign, Some(draft)).await;
    assert_eq!(refused.error(), (409, "login_taken"));
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    for n in 0..5 {
        create(&service, &admin, &format!("user.{n}")).await;
    }
    let (mut logins, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = service.api(Method::GET, &format!("/v1/users?limit=3{cursor}"), &admin, None).await;
        let items = page.body["items"].as_array().expect("a list").clone();
        assert!(items.len() <= 3);
        logins.extend(items.iter().map(|user| user["login"].as_str().expect("a name").to_owned()));
        match page.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let mut all = vec![ADMIN.to_owned(), OFFICER.to_owned()];
    all.extend((0..5).map(|n| format!("user.{n}")));
    logins.sort();
    all.sort();
    assert_eq!(logins, all);
    for bad in ["limit=0", "cursor=!!!", "cursor=QUJD", "page=2", "limit=x"] {
        let refused = service.api(Method::GET, &format!("/v1/users?{bad}"), &admin, None).await;
        assert_eq!(refused.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn another_agencys_administrator_sees_and_changes_nothing() {
    let service = Fixture::start().await;
    let (admin, foreign) = (service.token(ADMIN).await, service.token(FOREIGN_ADMIN).await);
    let id = id_of(&service, &admin, OFFICER).await;
    let list = service.api(Method::GET, "/v1/users?limit=200", &foreign, None).await;
    let logins: Vec<&Value> =
        list.body["items"].as_array().expect("a list").iter().map(|user| &user["login"]).collect();
    assert_eq!(logins, [FOREIGN_ADMIN]);
    let user = format!("/v1/users/{id}");
    let routes = [
        (Method::GET, user.clone(), None),
        (Method::PATCH, user.clone(), Some(json!({"disabled": true}))),
        (Method::PUT, format!("{user}/roles"), Some(json!({"roles": []}))),
        (Method::POST, format!("{user}/password"), None),
    ];
    let unknown = "/v1/users/01933c56-7b65-7000-8000-000000000000";
    let nowhere = service.api(Method::GET, unknown, &foreign, None).await;
    for (method, path, body) in routes {
        let refused = service.api(method, &path, &foreign, body).await;
        // But for the id, which the caller gave.
        let body = refused.body.to_string().replace(&id, "01933c56-7b65-7000-8000-000000000000");
        assert_eq!((refused.status, body), (nowhere.status, nowhere.body.to_string()), "{path}");
    }
    assert_eq!(service.outcomes("access.refuse").await, ["other_agency"; 4]);
    assert_eq!(service.api(Method::GET, &user, &admin, None).await.body["roles"], json!(["liaison_officer"]));
}

#[tokio::test]
async fn nobody_changes_their_own_roles_password_or_state() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    let own = format!("/v1/users/{}", id_of(&service, &admin, ADMIN).await);
    for (method, path, body) in [
        (Method::PUT, format!("{own}/roles"), Some(json!({"roles": ["agency_admin", "auditor"]}))),
        (Method::PATCH, own.clone(), Some(json!({"disabled": true}))),
        (Method::POST, format!("{own}/password"), None),
    ] {
        let refused = service.api(method, &path, &admin, body).await;
        assert_eq!(refused.error(), (403, "own_account"), "{path}");
    }
    assert_eq!(service.outcomes("access.refuse").await, ["own_account"; 3]);
}

#[tokio::test]
async fn a_role_taken_away_is_gone_at_once_here() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    let id = create(&service, &admin, "second.admin").await;
    let roles = |roles: Value| Some(json!({ "roles": roles }));
    let path = format!("/v1/users/{id}/roles");
    service.api(Method::PUT, &path, &admin, roles(json!(["agency_admin"]))).await;
    let reset = service.api(Method::POST, &format!("/v1/users/{id}/password"), &admin, None).await;
    let second = log_in_first_time(&service, "second.admin", reset.text("/one_time_password")).await;
    assert_eq!(service.api(Method::GET, "/v1/users", &second, None).await.status, 200);
    service.api(Method::PUT, &path, &admin, roles(json!([]))).await;
    // Her log-in is over; after another one she is refused for want of the role.
    assert_eq!(service.api(Method::GET, "/v1/users", &second, None).await.status, 401);
    let again = service.token("second.admin").await;
    assert_eq!(service.api(Method::GET, "/v1/users", &again, None).await.error(), (403, "role"));
}

async fn log_in_first_time(service: &Fixture, login: &str, given: &str) -> String {
    let page = service.page().await;
    let fields =
        [("login", login), ("password", given), ("change", "1"), ("new", PASSWORD), ("again", PASSWORD)];
    let (_, answer) = crate::support::location(&service.submit(&page, &fields).await);
    service.redeem(&page, &answer["code"], &[]).await.text("/access_token").to_owned()
}

//! Routes with their OpenAPI document: the document is completed, served, and kept to.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Router,
    body::Bytes,
    extract::{MatchedPath, Request, State},
    http::{Method, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use rovuma_runtime::Problem;
use utoipa::openapi::{
    Content, HttpMethod, Object, OpenApi, PathItem, Ref, RefOr, Response as DocumentedResponse,
    ResponseBuilder,
    path::{Operation, OperationBuilder, Parameter, ParameterIn},
    schema::{Schema, SchemaType, Type},
};
use utoipa_axum::router::OpenApiRouter;

/// The address of the document.
pub const DOCUMENT_PATH: &str = "/v1/openapi.json";

/// How many undeclared parameters a refusal names, and how many characters of each: they are the caller's own text.
const NAMED_MAX: usize = 5;
const NAME_MAX_CHARS: usize = 40;

/// The form of a parameter of that name, at addresses that begin with a prefix: a regular expression. The first that fits counts.
#[derive(Clone, Copy, Debug)]
pub struct ParameterForm(pub &'static str, pub &'static str, pub &'static str);

/// Forms that are the same in every service.
const COMMON: [ParameterForm; 3] = [
    ParameterForm("", "cursor", "^[A-Za-z0-9_-]{1,512}$"),
    ParameterForm("", "Idempotency-Key", "^[!-~]{1,128}$"),
    ParameterForm("", "If-Match", "^\"[0-9]{1,19}\"$"),
];

/// The form of a UUIDv7, such as a message's id.
pub const UUID_V7: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";

/// The form of an agency's code.
pub const AGENCY: &str = "^[a-z]{2}\\.[a-z0-9]{2,16}$";

/// The document of `routes`, completed: the answers that every route may give, the form of every parameter, and the address of
/// the document itself.
pub fn document<S>(routes: OpenApiRouter<S>, forms: &[ParameterForm]) -> OpenApi
where
    S: Clone + Send + Sync + 'static,
{
    completed(routes.into_openapi(), forms)
}

/// The routes, with the document at [`DOCUMENT_PATH`] for everybody. A query parameter that the document does not declare for a
/// route is refused: a misspelt filter would show too much.
pub fn router<S>(routes: OpenApiRouter<S>, forms: &[ParameterForm]) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let (router, document) = routes.split_for_parts();
    let document = completed(document, forms);
    let declared = Arc::new(DeclaredQueries::of(&document));
    let text = Bytes::from(crate::openapi::text(&document));
    let show = move || async move { ([(header::CONTENT_TYPE, "application/json")], text) };
    router.route(DOCUMENT_PATH, get(show)).layer(from_fn_with_state(declared, refuse_undeclared))
}

fn completed(mut document: OpenApi, forms: &[ParameterForm]) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            let has_body = operation.request_body.is_some();
            add_response(operation, "413", "`body_too_large`: more than 1 MiB.");
            if has_body {
                add_response(operation, "408", "`body_too_slow`: the body did not arrive in time.");
                add_response(
                    operation,
                    "415",
                    "`unsupported_media_type`: the body is not `application/json`, or has a `Content-Encoding`.",
                );
            }
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(parameter) = parameter {
                    set_form(path, parameter, forms);
                }
            }
        }
    }
    document.paths.add_path_operation(DOCUMENT_PATH, vec![HttpMethod::Get], own_operation());
    document
}

fn own_operation() -> Operation {
    let mut shown = ResponseBuilder::new().description("This document.").build();
    let content = Content::new(Some(RefOr::T(Schema::Object(Object::with_type(Type::Object)))));
    shown.content.insert("application/json".to_owned(), RefOr::T(content));
    let mut operation = OperationBuilder::new()
        .operation_id(Some("read_openapi"))
        .summary(Some("Shows this document. It is public."))
        .response("200", shown)
        .securities(Some([]))
        .build();
    add_response(&mut operation, "400", "`query`: it takes no parameters.");
    add_response(&mut operation, "413", "`body_too_large`: more than 1 MiB.");
    operation
}

fn add_response(operation: &mut Operation, status: &str, description: &str) {
    let mut response = DocumentedResponse::new(description);
    let schema = Some(RefOr::Ref(Ref::from_schema_name("Problem")));
    response.content.insert("application/problem+json".to_owned(), RefOr::T(Content::new(schema)));
    operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
}

/// Gives a text its pattern, and takes away `null`, which a parameter never is.
fn set_form(path: &str, parameter: &mut Parameter, forms: &[ParameterForm]) {
    let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema else { return };
    if let SchemaType::Array(types) = &object.schema_type
        && let [Type::Null, one] | [one, Type::Null] = types.as_slice()
    {
        object.schema_type = SchemaType::Type(one.clone());
    }
    if object.schema_type != SchemaType::Type(Type::String) || object.pattern.is_some() {
        return;
    }
    let fits = |form: &&ParameterForm| path.starts_with(form.0) && parameter.name == form.1;
    if let Some(form) = forms.iter().chain(&COMMON).find(fits) {
        object.pattern = Some(form.2.to_owned());
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

/// The query parameters of each operation, by method and route.
struct DeclaredQueries(BTreeMap<(String, String), BTreeSet<String>>);

impl DeclaredQueries {
    fn of(document: &OpenApi) -> Self {
        let mut declared = BTreeMap::new();
        for (path, item) in &document.paths.paths {
            let PathItem { get, put, post, delete, patch, .. } = item;
            let methods = [
                ("GET", get),
                ("HEAD", get),
                ("PUT", put),
                ("POST", post),
                ("DELETE", delete),
                ("PATCH", patch),
            ];
            for (method, operation) in methods {
                let Some(operation) = operation else { continue };
                let parameters =
                    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
                        RefOr::T(parameter) => Some(parameter),
                        RefOr::Ref(_) => None,
                    });
                let query = parameters.filter(|parameter| parameter.parameter_in == ParameterIn::Query);
                let names = query.map(|parameter| parameter.name.clone()).collect();
                declared.insert((method.to_owned(), path.clone()), names);
            }
        }
        Self(declared)
    }

    /// The names in `query` that the route does not declare.
    fn undeclared(&self, method: &Method, route: &str, query: &str) -> BTreeSet<String> {
        let Some(declared) = self.0.get(&(method.as_str().to_owned(), route.to_owned())) else {
            return BTreeSet::new();
        };
        let names = url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
        let unknown = names.filter(|name| !declared.contains(name.as_ref()));
        unknown.map(|name| name.chars().take(NAME_MAX_CHARS).collect()).take(NAMED_MAX).collect()
    }
}

async fn refuse_undeclared(
    State(declared): State<Arc<DeclaredQueries>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let undeclared = match (route, request.uri().query()) {
        (Some(route), Some(query)) => declared.undeclared(request.method(), route, query),
        _ => BTreeSet::new(),
    };
    if undeclared.is_empty() {
        return next.run(request).await;
    }
    let names: Vec<_> = undeclared.iter().map(|name| format!("{name:?}")).collect();
    Problem::bad_request("query")
        .detail(format!("There is no parameter {} here.", names.join(", ")))
        .into_response()
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;
    use utoipa::OpenApi as _;
    use utoipa_axum::routes;

    use super::*;

    #[derive(utoipa::OpenApi)]
    struct Frame;

    /// A list.
    #[utoipa::path(get, path = "/v1/things/{id}", params(
        ("id" = String, Path), ("colour" = Option<String>, Query), ("cursor" = Option<String>, Query)
    ), responses((status = 200, description = "Things.")))]
    async fn list() -> &'static str {
        "things"
    }

    /// A new one.
    #[utoipa::path(post, path = "/v1/things/{id}", params(("id" = String, Path)), request_body = String,
        responses((status = 200, description = "Done.")))]
    async fn add() -> &'static str {
        "added"
    }

    fn routes() -> OpenApiRouter {
        OpenApiRouter::with_openapi(Frame::openapi()).routes(routes!(list, add))
    }

    const FORMS: [ParameterForm; 2] =
        [ParameterForm("/v1/things", "id", "^[a-z]+$"), ParameterForm("", "id", "^[0-9]+$")];

    async fn ask(method: &str, uri: &str) -> (u16, String) {
        let request = axum::http::Request::builder().method(method).uri(uri);
        let request = request.body(axum::body::Body::empty()).expect("a request");
        let answer = router(routes(), &FORMS).oneshot(request).await.expect("answers");
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("UTF-8"))
    }

    #[tokio::test]
    async fn undeclared_parameters_are_refused_by_name() {
        assert_eq!(ask("GET", "/v1/things/a?colour=red&cursor=x").await.0, 200);
        assert_eq!(ask("POST", "/v1/things/a?").await.0, 200);
        for (method, uri, name) in [
            ("GET", "/v1/things/a?colour=red&color=red", "color"),
            ("HEAD", "/v1/things/a?limit=1", ""),
            ("POST", "/v1/things/a?colour=red", "colour"),
            ("GET", "/v1/openapi.json?x", "x"),
        ] {
            let (status, text) = ask(method, uri).await;
            assert_eq!(status, 400, "{method} {uri}");
            assert!(method == "HEAD" || text.contains(&format!("\\\"{name}\\\"")), "{text}");
        }
        let (_, text) = ask("GET", &format!("/v1/things/a?{}", "é".repeat(5000))).await;
        assert!(text.len() < 400, "{text}");
    }

    #[tokio::test]
    async fn the_document_is_served_and_complete() {
        let (status, text) = ask("GET", DOCUMENT_PATH).await;
        assert_eq!(status, 200);
        let served: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(text, crate::openapi::text(&document(routes(), &FORMS)));
        let [read, write] = ["get", "post"].map(|method| &served["paths"]["/v1/things/{id}"][method]);
        let form = |name: &str| {
            let parameters = read["parameters"].as_array().expect("parameters");
            parameters.iter().find(|found| found["name"] == name).expect("declared")["schema"].clone()
        };
        assert_eq!(form("id"), serde_json::json!({ "type": "string", "pattern": "^[a-z]+$" }));
        assert_eq!(form("cursor")["type"], "string");
        for status in ["408", "413", "415"] {
            assert!(write["responses"][status].is_object(), "{status}");
        }
        assert!(read["responses"]["415"].is_null() && read["responses"]["413"].is_object());
        assert_eq!(served["paths"][DOCUMENT_PATH]["get"]["security"], serde_json::json!([]));
    }
}

//! `/api/openapi.json`: the whole API's description (OpenAPI 3.1), made on request of the types
//! that are sent and the tables that are routed by.

mod examples;
mod routes;
mod shapes;

use std::collections::BTreeMap;

use axum::Json;
use email_connectors::domain::operation::answer as answers;
use email_connectors::domain::operation::parameter::{Kind, Parameter as Known};
use email_connectors::domain::operation::request as requests;
use email_connectors::domain::operation::{BodyShape, Entry, OPERATIONS, Operation, Verb};
use email_connectors::domain::outgoing::Outgoing;
use email_connectors::domain::outgoing::draft_change::DraftChange;
use email_connectors::domain::upload::UploadSpec;
use email_connectors::web::Problem;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Required,
    ResponseBuilder, ResponsesBuilder, Schema,
};

use self::routes::{Described, OTHERS};

const BEARER: &str = "user";

pub(crate) async fn openapi() -> Json<OpenApi> {
    Json(description())
}

pub fn description() -> OpenApi {
    let mut schemas = Schemas::default();
    let mail = OPERATIONS
        .iter()
        .map(|entry| (crate::mail::path(entry), entry.verb, mail_operation(entry, &mut schemas)));
    let mail: Vec<_> = mail.collect();
    let others: Vec<_> = OTHERS
        .iter()
        .map(|route| (route.path.to_string(), route.verb, other(route, &mut schemas)))
        .collect();
    let mut paths: BTreeMap<String, PathItem> = BTreeMap::new();
    for (path, verb, operation) in others.into_iter().chain(mail) {
        let item = PathItem::new(method(verb), operation);
        match paths.get_mut(&path) {
            Some(known) => known.merge_operations(item),
            None => drop(paths.insert(path, item)),
        }
    }
    let paths =
        paths.into_iter().fold(PathsBuilder::new(), |paths, (path, item)| paths.path(path, item));
    let about = "Gmail through a connector: messages, threads, labels and drafts, and triggers that fire on new mail. \
        Every route shows its caller's own connectors only; another's are as if they did not exist.";
    let info = InfoBuilder::new()
        .title("email-connectors")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(about));
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("JWT".into());
    let components =
        schemas.0.into_iter().fold(ComponentsBuilder::new(), |components, (name, schema)| {
            components.schema(name, schema)
        });
    let components = components.security_scheme(BEARER, SecurityScheme::Http(bearer));
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths.build())
        .components(Some(components.build()))
        .build()
}

/// The schemas referenced so far, each with those that it references.
#[derive(Default)]
pub(crate) struct Schemas(BTreeMap<String, RefOr<Schema>>);

impl Schemas {
    fn of<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let mut inner = Vec::new();
        T::schemas(&mut inner);
        self.0.extend(inner);
        self.0.insert(T::name().to_string(), T::schema());
        Ref::from_schema_name(T::name().to_string()).into()
    }
}

fn method(verb: Verb) -> HttpMethod {
    match verb {
        Verb::Get => HttpMethod::Get,
        Verb::Post => HttpMethod::Post,
        Verb::Put => HttpMethod::Put,
        Verb::Patch => HttpMethod::Patch,
        Verb::Delete => HttpMethod::Delete,
    }
}

fn mail_operation(entry: &'static Entry, schemas: &mut Schemas) -> OperationBuilder {
    let body = match entry.body {
        BodyShape::None => None,
        BodyShape::Outgoing => Some(schemas.of::<Outgoing>()),
        BodyShape::DraftChange => Some(schemas.of::<DraftChange>()),
        BodyShape::LabelChange => Some(schemas.of::<requests::LabelChange>()),
        BodyShape::Batch => Some(schemas.of::<requests::Batch>()),
        BodyShape::BatchDeletion => Some(schemas.of::<requests::BatchDeletion>()),
        BodyShape::Label => Some(schemas.of::<requests::LabelSpec>()),
        BodyShape::Upload => Some(schemas.of::<UploadSpec>()),
    };
    let tag = entry.name.split('.').next().unwrap_or_default();
    let role = entry.action.needs().as_str();
    let mut operation = OperationBuilder::new()
        .tag(tag)
        .operation_id(Some(entry.name.replace('.', "_")))
        .summary(Some(entry.about));
    operation =
        operation.description(Some(format!("Needs the role `{role}` where roles are configured.")));
    operation = operation.parameter(path_parameter("connector_id"));
    operation = entry
        .path_parameters()
        .fold(operation, |operation, name| operation.parameter(path_parameter(name)));
    operation = entry
        .parameters
        .iter()
        .fold(operation, |operation, known| operation.parameter(query_parameter(known)));
    if entry.operation.makes_something() {
        operation = operation.parameter(header(
            "Idempotency-Key",
            "Sent again under the same key, the request is answered again, and done once.",
        ));
    }
    if entry.operation == Operation::GetAttachment {
        operation = operation
            .parameter(header("Range", "One range of bytes; larger attachments want one."));
    }
    if let Some(schema) = body {
        let content =
            ContentBuilder::new().schema(Some(schema)).example(examples::body(entry.name));
        let body = RequestBodyBuilder::new()
            .content("application/json", content.build())
            .required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    let mut responses = ResponsesBuilder::new().response("default", problem(schemas));
    responses = match answer(entry.operation, schemas) {
        Answer::Json(status, schema) => {
            let content =
                ContentBuilder::new().schema(Some(*schema)).example(examples::answer(entry.name));
            let about = if entry.operation.makes_something() { "Done." } else { "The answer." };
            responses.response(
                status,
                ResponseBuilder::new()
                    .description(about)
                    .content("application/json", content.build()),
            )
        }
        Answer::Bytes => {
            let bytes = || {
                ContentBuilder::new()
                    .schema(Some(ObjectBuilder::new().schema_type(SchemaType::AnyValue)))
            };
            let whole = ResponseBuilder::new()
                .description("The attachment.")
                .content("*/*", bytes().build());
            let part = ResponseBuilder::new()
                .description("The range that was asked for.")
                .content("*/*", bytes().build());
            responses.response("200", whole).response("206", part)
        }
        Answer::Nothing => {
            responses.response("204", ResponseBuilder::new().description("It is gone."))
        }
    };
    operation.responses(responses).security(SecurityRequirement::new(BEARER, [] as [&str; 0]))
}

enum Answer {
    Json(&'static str, Box<RefOr<Schema>>),
    Bytes,
    Nothing,
}

fn answer(operation: Operation, schemas: &mut Schemas) -> Answer {
    use Operation::*;
    let schema = match operation {
        ListMessages => schemas.of::<answers::MessageList>(),
        ListThreads => schemas.of::<answers::ThreadList>(),
        ListLabels => schemas.of::<answers::LabelList>(),
        ListDrafts => schemas.of::<answers::DraftList>(),
        GetMessage => schemas.of::<answers::MessageView>(),
        GetThread => schemas.of::<answers::Thread>(),
        GetDraft | UpdateDraft | PatchDraft => schemas.of::<answers::Draft>(),
        GetLabel | UpdateLabel => schemas.of::<answers::Label>(),
        CreateDraft => return Answer::Json("201", Box::new(schemas.of::<answers::Draft>())),
        CreateUpload => return Answer::Json("201", Box::new(schemas.of::<answers::Upload>())),
        LinkAttachment => schemas.of::<answers::AttachmentLink>(),
        CreateLabel => return Answer::Json("201", Box::new(schemas.of::<answers::Label>())),
        SendMessage | SendDraft | ModifyMessage | TrashMessage | UntrashMessage => {
            schemas.of::<answers::PlacedMessage>()
        }
        DeleteMessage | DeleteThread => schemas.of::<answers::Deletion>(),
        ModifyThread | TrashThread | UntrashThread => schemas.of::<answers::ThreadReference>(),
        BatchModifyMessages => schemas.of::<answers::BatchModified>(),
        BatchDeleteMessages => schemas.of::<answers::BatchDeleted>(),
        ListAttachments => schemas.of::<answers::AttachmentList>(),
        GetAttachment => return Answer::Bytes,
        DeleteLabel | DeleteDraft => return Answer::Nothing,
    };
    Answer::Json("200", Box::new(schema))
}

fn other(route: &Described, schemas: &mut Schemas) -> OperationBuilder {
    let mut operation = OperationBuilder::new()
        .tag(route.tag)
        .operation_id(Some(route.name))
        .summary(Some(route.about));
    let names =
        route.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    operation = names.fold(operation, |operation, name| operation.parameter(path_parameter(name)));
    operation = route
        .parameters
        .iter()
        .fold(operation, |operation, known| operation.parameter(query_parameter(known)));
    operation = route
        .headers
        .iter()
        .fold(operation, |operation, (name, about)| operation.parameter(header(name, about)));
    if let Some(schema) = route.body {
        let content =
            ContentBuilder::new().schema(Some(schema(schemas))).example(examples::body(route.name));
        let body = RequestBodyBuilder::new()
            .content(route.media_type, content.build())
            .required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    let mut responses = ResponsesBuilder::new().response("default", problem(schemas));
    for (status, about, schema) in route.answers {
        let mut response = ResponseBuilder::new().description(*about);
        if let Some(schema) = schema {
            let content = ContentBuilder::new()
                .schema(Some(schema(schemas)))
                .example(examples::answer(route.name));
            response = response.content("application/json", content.build());
        }
        responses = responses.response(*status, response);
    }
    operation = operation.responses(responses);
    match route.action {
        Some(action) => {
            let role = action.needs().as_str();
            let needed = SecurityRequirement::new(BEARER, [] as [&str; 0]);
            operation
                .description(Some(format!("Needs the role `{role}` where roles are configured.")))
                .security(needed)
        }
        None => operation,
    }
}

fn problem(schemas: &mut Schemas) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(schemas.of::<Problem>()));
    let about = "A problem document (RFC 9457): `code` is for programs, `detail` for people, `field` names what is at fault.";
    ResponseBuilder::new().description(about).content("application/problem+json", content.build())
}

fn path_parameter(name: &str) -> ParameterBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(text))
}

fn header(name: &str, about: &str) -> ParameterBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let header = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False);
    header.description(Some(about)).schema(Some(text))
}

fn query_parameter(known: &Known) -> ParameterBuilder {
    let schema: RefOr<Schema> = match known.kind {
        Kind::Text | Kind::List => {
            ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).into()
        }
        Kind::Flag => ObjectBuilder::new().schema_type(Type::Boolean).into(),
        Kind::Count(most) => ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(most))
            .into(),
        Kind::OneOf(words) => ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(words.iter().copied()))
            .into(),
    };
    let parameter = ParameterBuilder::new()
        .name(known.name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False);
    parameter.description(Some(known.about)).schema(Some(schema))
}

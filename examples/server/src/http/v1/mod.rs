//! `/v1`: the gateway's own API, for who runs it and for the accounts.
//!
//! [`routes()`] is the whole of it: each route with who may use it.

mod accounts;
mod api_keys;
mod audit;
mod challenge;
mod decisions;
mod deliveries;
mod destinations;
mod endpoint_secrets;
mod endpoint_shape;
mod endpoint_states;
mod endpoints;
mod events;
mod guard;
mod inbound;
mod instances;
mod integration_log;
mod integration_shape;
mod integrations;
mod key_shape;
mod links;
mod messages;
mod operator_keys;
mod pauses;
mod policy;
mod policy_events;
mod provider_accounts;
mod recoveries;
mod reviews;
mod said;
mod suppression_tables;
mod suppressions;
mod suspicions;
mod traffic;
mod usage;

use gatepost::Scope;
use utoipa_axum::routes;

pub(super) use guard::Route;

use guard::Permission;

const OPERATOR: Permission = Permission::Operator;
const ENDPOINTS: Permission = Permission::Scope(Scope::EndpointsWrite);
const ENDPOINTS_OR_LOGS: Permission = Permission::Either(Scope::EndpointsWrite, Scope::LogsRead);
const INTEGRATIONS: Permission = Permission::Scope(Scope::IntegrationsWrite);
const INTEGRATIONS_OR_LOGS: Permission = Permission::Either(Scope::IntegrationsWrite, Scope::LogsRead);
const INTEGRATIONS_OR_MESSAGES: Permission = Permission::Either(Scope::IntegrationsWrite, Scope::MessagesRead);
const KEYS: Permission = Permission::Scope(Scope::KeysWrite);
const LOGS: Permission = Permission::Scope(Scope::LogsRead);
const MESSAGES: Permission = Permission::Scope(Scope::MessagesRead);
const POLICY: Permission = Permission::Scope(Scope::PolicyRead);
const REVIEWS: Permission = Permission::Scope(Scope::ReviewsWrite);
const SENDING: Permission = Permission::Scope(Scope::MessagesSend);
const SUPPRESSIONS: Permission = Permission::Scope(Scope::SuppressionsWrite);

/// The answers that every route may give: their statuses, and their names among the components of the document.
const PROBLEMS_OF_ALL: [(&str, &str); 6] = [
    ("400", "BadRequest"),
    ("401", "Unauthorized"),
    ("403", "Forbidden"),
    ("429", "RateLimited"),
    ("500", "InternalError"),
    ("503", "Unavailable"),
];

/// Those of routes that take a body.
const PROBLEMS_OF_BODIES: [(&str, &str); 3] = [("413", "PayloadTooLarge"), ("415", "UnsupportedMediaType"), ("422", "ValidationError")];

/// Every route, and who may use it.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(OPERATOR, routes!(accounts::create_account)),
        Route::new(OPERATOR, routes!(accounts::list_accounts)),
        Route::new(OPERATOR, routes!(accounts::get_account)),
        Route::new(OPERATOR, routes!(accounts::change_account)),
        Route::new(OPERATOR, routes!(accounts::pause_account)),
        Route::new(OPERATOR, routes!(accounts::resume_account)),
        Route::new(OPERATOR, routes!(accounts::suspend_account)),
        Route::new(OPERATOR, routes!(accounts::reinstate_account)),
        Route::new(OPERATOR, routes!(operator_keys::create_operator_key)),
        Route::new(OPERATOR, routes!(operator_keys::list_operator_keys)),
        Route::new(OPERATOR, routes!(operator_keys::revoke_operator_key)),
        Route::new(INTEGRATIONS, routes!(instances::create_instance)),
        Route::new(MESSAGES, routes!(instances::list_instances)),
        Route::new(MESSAGES, routes!(instances::get_instance)),
        Route::new(INTEGRATIONS, routes!(instances::change_instance)),
        Route::new(INTEGRATIONS, routes!(instances::pause_instance)),
        Route::new(INTEGRATIONS, routes!(instances::resume_instance)),
        Route::new(INTEGRATIONS, routes!(instances::rotate_app_secret)),
        Route::new(INTEGRATIONS, routes!(instances::retire_app_secret)),
        Route::new(INTEGRATIONS, routes!(links::provision_instance)),
        Route::new(INTEGRATIONS, routes!(links::set_webhook)),
        Route::new(INTEGRATIONS, routes!(links::connect_instance)),
        Route::new(INTEGRATIONS, routes!(links::get_connection)),
        Route::new(INTEGRATIONS, routes!(links::restart_instance)),
        Route::new(INTEGRATIONS, routes!(links::log_out_instance)),
        Route::new(INTEGRATIONS, routes!(integrations::create_integration)),
        Route::new(INTEGRATIONS_OR_MESSAGES, routes!(integrations::list_integrations)),
        Route::new(INTEGRATIONS_OR_LOGS, routes!(integration_log::list_integration_log)),
        Route::new(INTEGRATIONS_OR_LOGS, routes!(integration_log::search_integration_log)),
        Route::new(INTEGRATIONS_OR_MESSAGES, routes!(integrations::get_integration)),
        Route::new(INTEGRATIONS, routes!(integrations::change_integration)),
        Route::new(INTEGRATIONS, routes!(integrations::remove_integration)),
        Route::new(INTEGRATIONS, routes!(integrations::rotate_integration_secret)),
        Route::new(INTEGRATIONS_OR_MESSAGES, routes!(integrations::get_crm_template)),
        Route::new(KEYS, routes!(api_keys::create_api_key)),
        Route::new(KEYS, routes!(api_keys::list_api_keys)),
        Route::new(KEYS, routes!(api_keys::get_api_key)),
        Route::new(KEYS, routes!(api_keys::revoke_api_key)),
        Route::new(KEYS, routes!(api_keys::reroll_api_key)),
        Route::new(SUPPRESSIONS, routes!(suppressions::suppress)),
        Route::new(SUPPRESSIONS, routes!(suppressions::list_suppressions)),
        Route::new(SUPPRESSIONS, routes!(suppressions::search_suppressions)),
        Route::new(SUPPRESSIONS, routes!(suppression_tables::export_suppressions)),
        Route::new(SUPPRESSIONS, routes!(suppression_tables::import_suppressions)),
        Route::new(SUPPRESSIONS, routes!(suppressions::get_suppression)),
        Route::new(SUPPRESSIONS, routes!(suppressions::lift_suppression)),
        Route::new(REVIEWS, routes!(suspicions::list_suspicions)),
        Route::new(REVIEWS, routes!(suspicions::answer_suspicion)),
        Route::new(MESSAGES, routes!(inbound::list_inbound)),
        Route::new(MESSAGES, routes!(inbound::get_inbound)),
        Route::new(OPERATOR, routes!(inbound::list_notifications)),
        Route::new(OPERATOR, routes!(inbound::get_notification)),
        Route::new(MESSAGES, routes!(messages::list_messages)),
        Route::new(MESSAGES, routes!(messages::get_message)),
        Route::new(MESSAGES, routes!(messages::list_attempts)),
        Route::new(OPERATOR, routes!(messages::resolve_message)),
        Route::new(REVIEWS, routes!(reviews::list_reviews)),
        Route::new(REVIEWS, routes!(reviews::get_review)),
        Route::new(REVIEWS, routes!(reviews::release_message)),
        Route::new(REVIEWS, routes!(reviews::refuse_message)),
        Route::new(POLICY, routes!(policy_events::list_policy_events)),
        Route::new(OPERATOR, routes!(audit::list_audit_heads)),
        Route::new(POLICY, routes!(audit::get_audit_head)),
        Route::new(OPERATOR, routes!(audit::verify_policy_events)),
        Route::new(SENDING, routes!(decisions::explain_decision)),
        Route::new(SENDING, routes!(decisions::explain_own_decision)),
        Route::new(OPERATOR, routes!(policy::get_policy)),
        Route::new(OPERATOR, routes!(policy::backtest_policy)),
        Route::new(MESSAGES, routes!(usage::get_usage)),
        Route::new(MESSAGES, routes!(traffic::get_traffic)),
        Route::new(ENDPOINTS, routes!(endpoints::create_endpoint)),
        Route::new(ENDPOINTS_OR_LOGS, routes!(endpoints::list_endpoints)),
        Route::new(ENDPOINTS_OR_LOGS, routes!(endpoints::get_endpoint)),
        Route::new(ENDPOINTS, routes!(endpoints::change_endpoint)),
        Route::new(ENDPOINTS, routes!(endpoints::remove_endpoint)),
        Route::new(ENDPOINTS, routes!(endpoint_states::verify_endpoint)),
        Route::new(ENDPOINTS, routes!(endpoint_states::test_endpoint)),
        Route::new(ENDPOINTS, routes!(endpoint_states::pause_endpoint)),
        Route::new(ENDPOINTS, routes!(endpoint_states::resume_endpoint)),
        Route::new(ENDPOINTS, routes!(endpoint_states::enable_endpoint)),
        Route::new(ENDPOINTS, routes!(endpoint_states::disable_endpoint)),
        Route::new(ENDPOINTS, routes!(endpoint_secrets::rotate_secret)),
        Route::new(ENDPOINTS, routes!(endpoint_secrets::switch_secret)),
        Route::new(ENDPOINTS, routes!(endpoint_secrets::change_signing_key)),
        Route::new(LOGS, routes!(deliveries::list_deliveries)),
        Route::new(LOGS, routes!(deliveries::get_delivery)),
        Route::new(LOGS, routes!(deliveries::list_delivery_attempts)),
        Route::new(ENDPOINTS, routes!(deliveries::replay_delivery)),
        Route::new(LOGS, routes!(events::get_event)),
        Route::new(ENDPOINTS, routes!(recoveries::start_recovery)),
        Route::new(ENDPOINTS_OR_LOGS, routes!(recoveries::list_recoveries)),
        Route::new(ENDPOINTS_OR_LOGS, routes!(recoveries::get_recovery)),
        Route::new(ENDPOINTS, routes!(recoveries::cancel_recovery)),
        Route::new(OPERATOR, routes!(destinations::get_destination_policy)),
    ]
}

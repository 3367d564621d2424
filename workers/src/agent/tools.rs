//! The tools that the model may call, and what their arguments must be. The model's arguments are as hostile as any input.

use frontdesk_core::ids::{AppointmentId, OrderNo, ProductId, ServiceId, StaffId};
use serde_json::{Value, json};

use super::ShopCard;
use crate::clients::models::{ToolCall, ToolSpec};

/// More lines than this are not an order from a chat.
const MAX_LINES: usize = 20;
/// More pieces of one product than this are a human's business.
pub const MAX_QUANTITY: i64 = 999;
const MAX_QUERY_CHARS: usize = 200;
/// Words about a time are short.
const MAX_WHEN_CHARS: usize = 300;

/// A call whose arguments make sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Look into the catalogue.
    SearchProducts {
        /// The customer's words.
        query: String,
    },
    /// Propose an order: product, quantity.
    ProposeOrder {
        /// Distinct products.
        lines: Vec<(ProductId, i32)>,
    },
    /// The customer agreed to the open proposal, says the model.
    Confirm,
    /// About appointments.
    Booking(BookingCall),
    /// How an order stands; the latest without a number.
    OrderStatus {
        /// Which.
        order: Option<OrderNo>,
    },
    /// Drop the open proposal, or propose to cancel an order.
    CancelOrder {
        /// Which.
        order: Option<OrderNo>,
    },
    /// Hours, address, policies.
    BusinessInfo,
    /// A human should take over.
    RequestHuman,
}

/// A call about appointments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookingCall {
    /// What there is to book.
    ListServices,
    /// Show free times.
    FindSlots(Wanted),
    /// Show an appointment and ask whether to book it.
    Propose(Wanted),
    /// The same for another time of one that stands.
    Reschedule {
        /// Which; absent: the next.
        appointment: Option<AppointmentId>,
        /// With whom; absent: with the same.
        staff: Option<StaffId>,
        /// The words about the time.
        when: String,
    },
    /// Drop the open proposal, or ask whether to cancel an appointment.
    Cancel {
        /// Which; absent: the next.
        appointment: Option<AppointmentId>,
    },
}

/// An appointment that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What for.
    pub service: ServiceId,
    /// With whom; absent: with whoever is free.
    pub staff: Option<StaffId>,
    /// The words about the time; empty: none.
    pub when: String,
}

/// What is declared to the model.
#[must_use]
pub fn declarations(shop: &ShopCard) -> Vec<ToolSpec> {
    let object = |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required});
    let order_no = json!({"type": "integer", "description": "The order's number. Leave out for the latest order."});
    let mut tools = Vec::new();
    if shop.sells_products {
        tools.extend([
            ToolSpec {
                name: "search_products",
                description: "Searches the shop's catalogue. Returns products with id, name, description, price and stock.",
                parameters: object(json!({"query": {"type": "string", "description": "What the customer looks for, in their words"}}), json!(["query"])),
            },
            ToolSpec {
                name: "propose_order",
                description: "Shows the customer a summary of the order with prices and total and asks for confirmation. Orders nothing yet. \
                              Give all lines of the order, also unchanged ones.",
                parameters: object(
                    json!({"lines": {"type": "array", "items": {"type": "object",
                        "properties": {"product_id": {"type": "integer"}, "quantity": {"type": "integer", "minimum": 1}},
                        "required": ["product_id", "quantity"]}}}),
                    json!(["lines"]),
                ),
            },
            ToolSpec {
                name: "confirm_order",
                description: "Places the order of the open proposal. Only after the customer has agreed to it.",
                parameters: object(json!({}), json!([])),
            },
            ToolSpec {
                name: "order_status",
                description: "Tells how an order of this customer stands.",
                parameters: object(json!({"order_no": order_no.clone()}), json!([])),
            },
            ToolSpec {
                name: "cancel_order",
                description: "Drops the open proposal, or asks the customer to confirm the cancellation of an order.",
                parameters: object(json!({"order_no": order_no}), json!([])),
            },
        ]);
    }
    if shop.takes_appointments {
        tools.extend(booking_declarations(&object));
    }
    tools.extend([
        ToolSpec {
            name: "business_info",
            description: "Returns the shop's opening hours, address, policies and frequent questions.",
            parameters: object(json!({"topic": {"type": "string"}}), json!([])),
        },
        ToolSpec {
            name: "request_human",
            description: "Hands the conversation over to a human of the shop. Use it when the customer asks for one or you cannot help.",
            parameters: object(json!({"reason": {"type": "string"}}), json!([])),
        },
    ]);
    tools
}

fn booking_declarations(object: &dyn Fn(Value, Value) -> Value) -> [ToolSpec; 6] {
    let service = json!({"type": "integer", "description": "The service's id"});
    let staff = json!({"type": "integer", "description": "Whom the customer asks for. Leave out if they do not say."});
    let when = json!({"type": "string", "description": "The time in the customer's own words, complete: with the day, also if they named it earlier \
                      ('next Friday after work', 'same time as last time'). The system resolves the words; never work out a date yourself. \
                      Of times that were shown before, copy the day and the time exactly as shown."});
    let appointment = json!({"type": "integer", "description": "The appointment's id. Leave out for the next one."});
    let wanted = json!({"service_id": service, "when": when, "staff_id": staff});
    [
        ToolSpec {
            name: "list_services",
            description: "Returns what can be booked: services with id, price, duration and staff.",
            parameters: object(json!({}), json!([])),
        },
        ToolSpec {
            name: "find_slots",
            description: "Shows the customer free times of a service and asks which one. Without `when`: of the next days.",
            parameters: object(wanted.clone(), json!(["service_id"])),
        },
        ToolSpec {
            name: "propose_booking",
            description: "Shows the customer the appointment with date, price and staff, and asks for confirmation. Books nothing yet. \
                          If the time is not free, the system shows free ones instead.",
            parameters: object(wanted, json!(["service_id", "when"])),
        },
        ToolSpec {
            name: "confirm_booking",
            description: "Does what the open proposal says. Only after the customer has agreed to it.",
            parameters: object(json!({}), json!([])),
        },
        ToolSpec {
            name: "reschedule_booking",
            description: "Shows the customer another time for one of their appointments and asks for confirmation.",
            parameters: object(json!({"appointment_id": appointment, "when": when, "staff_id": staff}), json!(["when"])),
        },
        ToolSpec {
            name: "cancel_booking",
            description: "Drops the open proposal, or asks the customer to confirm the cancellation of an appointment.",
            parameters: object(json!({"appointment_id": appointment}), json!([])),
        },
    ]
}

/// Reads a call; the error is a sentence for the model.
///
/// # Errors
/// When the tool is unknown or the arguments make no sense.
pub fn parse(call: &ToolCall) -> Result<Call, String> {
    match call.name.as_str() {
        "search_products" => {
            let query: String = call.args["query"].as_str().unwrap_or_default().trim().chars().take(MAX_QUERY_CHARS).collect();
            if query.is_empty() { Err("query must say what to look for".to_owned()) } else { Ok(Call::SearchProducts { query }) }
        }
        "propose_order" => lines(&call.args["lines"]).map(|lines| Call::ProposeOrder { lines }),
        "confirm_order" | "confirm_booking" => Ok(Call::Confirm),
        "order_status" => Ok(Call::OrderStatus { order: order(&call.args)? }),
        "cancel_order" => Ok(Call::CancelOrder { order: order(&call.args)? }),
        "list_services" => Ok(Call::Booking(BookingCall::ListServices)),
        "find_slots" => Ok(Call::Booking(BookingCall::FindSlots(wanted(&call.args)?))),
        "propose_booking" => Ok(Call::Booking(BookingCall::Propose(wanted(&call.args)?))),
        "reschedule_booking" => {
            let (appointment, staff) = (appointment(&call.args)?, staff(&call.args)?);
            Ok(Call::Booking(BookingCall::Reschedule { appointment, staff, when: when(&call.args)? }))
        }
        "cancel_booking" => Ok(Call::Booking(BookingCall::Cancel { appointment: appointment(&call.args)? })),
        "business_info" => Ok(Call::BusinessInfo),
        "request_human" => Ok(Call::RequestHuman),
        other => Err(format!("there is no tool {}", other.chars().take(64).collect::<String>())),
    }
}

fn order(args: &Value) -> Result<Option<OrderNo>, String> {
    match &args["order_no"] {
        Value::Null => Ok(None),
        value => {
            integer(value).filter(|no| *no > 0).map(|no| Some(OrderNo(no))).ok_or_else(|| "order_no must be the order's number".to_owned())
        }
    }
}

fn wanted(args: &Value) -> Result<Wanted, String> {
    let service = small(&args["service_id"]).map(ServiceId).ok_or("service_id must be the id of a service; see list_services")?;
    Ok(Wanted { service, staff: staff(args)?, when: when(args)? })
}

fn staff(args: &Value) -> Result<Option<StaffId>, String> {
    match &args["staff_id"] {
        Value::Null => Ok(None),
        value => small(value)
            .map(|id| Some(StaffId(id)))
            .ok_or_else(|| "staff_id must be the id of somebody who performs the service".to_owned()),
    }
}

fn appointment(args: &Value) -> Result<Option<AppointmentId>, String> {
    match &args["appointment_id"] {
        Value::Null => Ok(None),
        value => {
            let id = integer(value).filter(|id| *id > 0).map(|id| Some(AppointmentId(id)));
            id.ok_or_else(|| "appointment_id must be the id of one of the customer's appointments".to_owned())
        }
    }
}

fn when(args: &Value) -> Result<String, String> {
    match &args["when"] {
        Value::Null => Ok(String::new()),
        Value::String(words) => Ok(words.trim().chars().take(MAX_WHEN_CHARS).collect()),
        _ => Err("when must be the customer's words about the time".to_owned()),
    }
}

fn small(value: &Value) -> Option<i32> {
    integer(value).and_then(|id| i32::try_from(id).ok()).filter(|id| *id > 0)
}

/// Models send numbers as strings now and then; what is exactly an integer is taken.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().trim_start_matches('#').parse().ok()))
}

fn lines(value: &Value) -> Result<Vec<(ProductId, i32)>, String> {
    let wanted = value.as_array().filter(|lines| !lines.is_empty()).ok_or("lines must hold at least one product_id with quantity")?;
    if wanted.len() > MAX_LINES {
        return Err(format!("an order has at most {MAX_LINES} lines"));
    }
    let mut lines: Vec<(ProductId, i32)> = Vec::with_capacity(wanted.len());
    for line in wanted {
        let product = integer(&line["product_id"])
            .and_then(|id| i32::try_from(id).ok())
            .filter(|id| *id > 0)
            .map(ProductId)
            .ok_or("product_id must be the id of a product from the catalogue")?;
        let quantity = match &line["quantity"] {
            Value::Null => 1,
            value => integer(value)
                .filter(|quantity| (1..=MAX_QUANTITY).contains(quantity))
                .and_then(|quantity| i32::try_from(quantity).ok())
                .ok_or_else(|| format!("quantity must be from 1 to {MAX_QUANTITY}"))?,
        };
        match lines.iter_mut().find(|(known, _)| *known == product) {
            Some((_, pieces)) if i64::from(*pieces) + i64::from(quantity) <= MAX_QUANTITY => *pieces += quantity,
            Some(_) => return Err(format!("quantity must be from 1 to {MAX_QUANTITY}")),
            None => lines.push((product, quantity)),
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn call(name: &str, args: Value) -> Result<Call, String> {
        parse(&ToolCall { id: "1".to_owned(), name: name.to_owned(), args })
    }

    #[test]
    fn strange_quantities_are_refused_with_the_remedy() {
        for quantity in [json!(-3), json!(0), json!(1_000), json!(1.5), json!("many"), json!([2])] {
            let refused = call("propose_order", json!({"lines": [{"product_id": 1, "quantity": quantity}]}));
            assert_eq!(refused, Err("quantity must be from 1 to 999".to_owned()));
        }
    }

    #[test]
    fn the_same_product_twice_is_one_line() {
        let lines = json!({"lines": [{"product_id": 1, "quantity": 1}, {"product_id": "1", "quantity": "2"}]});
        assert_eq!(call("propose_order", lines), Ok(Call::ProposeOrder { lines: vec![(ProductId(1), 3)] }));
    }

    proptest! {
        #[test]
        fn no_arguments_break_it(name in "[a-z_]{0,20}", text in "\\PC{0,40}", number in any::<i64>()) {
            for args in [json!(text), json!({"lines": number}), json!({"lines": [number, text]}), json!({"order_no": text}), json!({"service_id": number, "when": [text]}), Value::Null] {
                for name in [name.as_str(), "propose_order", "order_status", "cancel_order", "search_products", "find_slots", "reschedule_booking"] {
                    let _ = call(name, args.clone());
                }
            }
        }
    }
}

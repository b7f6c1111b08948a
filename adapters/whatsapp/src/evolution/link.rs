//! Link: the QR code that a person scans to link their number.

use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

use crate::item::LinkCode;

/// The side of the drawing, in the units of its view box; it scales.
const SIDE: u32 = 320;

/// The code as a drawing in SVG; nothing where it says more than a QR code can. Whoever sees it can link a phone: it goes to the person
/// who asked, and into no log.
///
/// ```
/// use gatepost::Secret;
/// use gatepost_whatsapp::LinkCode;
/// use gatepost_whatsapp::evolution::link_svg;
///
/// let code = LinkCode { code: Secret::from("2@example"), pairing_code: None };
/// assert!(link_svg(&code).is_some_and(|svg| svg.contains("<svg")));
/// ```
pub fn link_svg(code: &LinkCode) -> Option<String> {
    let drawn = QrCode::with_error_correction_level(code.code.expose().as_bytes(), EcLevel::M).ok()?;
    Some(
        drawn
            .render::<svg::Color<'_>>()
            .min_dimensions(SIDE, SIDE)
            .dark_color(svg::Color("#000000"))
            .light_color(svg::Color("#ffffff"))
            .build(),
    )
}

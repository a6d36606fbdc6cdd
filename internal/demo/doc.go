// Package demo is what a demonstration needs and the product does not: invented sites
// and people, an inbox that takes every mail and sends none, and rules for moving the
// clock.
//
// Nothing here is real. Names are made up, mail domains end in .example or .invalid
// (RFC 2606), and mobile numbers come from the ranges that are kept for fiction where a
// country has one (ACMA in Australia, Ofcom in Britain, 555-01 in North America).
package demo

import (
	"keyturn/internal/audit"
)

// Password is the one password of everybody in the demo. It is shown on the desk.
const Password = "spanner-kettle-harbour-42"

// By is who does things in the audit trail of a demo.
func By() audit.Actor {
	return audit.Actor{Kind: audit.ActorSystem, ID: "demo"}
}

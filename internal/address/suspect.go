package address

import (
	"slices"
	"strings"
)

// Suspicion names why an address is probably not one person's own mailbox. The names
// are stable.
type Suspicion string

// The suspicions.
const (
	// Role is a mailbox that belongs to a place and is read by whoever stands there:
	// info@, reception@, accounts2@.
	Role Suspicion = "role"
	// Dummy was typed to fill a field: user1207@myworkshop.com, noemail@…, test@test.
	Dummy Suspicion = "dummy"
)

// roles are local parts of RFC 2142 and of workshops' desks.
var roles = []string{
	"account", "accounts", "accounting", "admin", "administration", "administrator", "billing", "booking", "bookings",
	"bookkeeper", "bookkeeping", "contact", "counter", "customerservice", "enquiries", "enquiry", "finance",
	"frontdesk", "garage", "general", "hello", "help", "hr", "info", "inquiries", "invoice", "invoices", "jobs", "mail",
	"management", "manager", "marketing", "mechanic", "mechanics", "office", "orders", "parts", "payables", "payroll",
	"postmaster", "purchasing", "receivables", "reception", "sales", "service", "shop", "spares", "staff", "stores",
	"support", "team", "techs", "tyres", "warranty", "webmaster", "workshop",
}

// dummies are local parts that nobody has.
var dummies = []string{
	"abc", "aaa", "asdf", "changeme", "donotreply", "dummy", "email", "example", "fake", "na", "nil", "no", "nobody",
	"noemail", "nomail", "none", "noone", "noreply", "notapplicable", "null", "test", "testing", "unknown", "user",
	"xx", "xxx", "xyz",
}

// dummyDomains are first labels of domains that nobody has.
var dummyDomains = []string{
	"dummy", "fake", "na", "nodomain", "noemail", "nomail", "none", "noreply", "test", "xxx",
}

// Suspect names what speaks against an address being one person's own; nothing for an
// ordinary one. It judges by the spelling alone, so it may be wrong: the answer is
// shown to people, and stops nobody. What is not deliverable is for IsDeliverable to
// say.
func Suspect(c Canonical) []Suspicion {
	local, domain := split(string(c))
	local, _, _ = strings.Cut(local, "+")
	name := strings.NewReplacer(".", "", "-", "", "_", "").Replace(local)
	stem := strings.TrimRight(name, "0123456789")
	var out []Suspicion
	if domain != "" && slices.Contains(roles, stem) {
		out = append(out, Role)
	}
	if domain != "" && (slices.Contains(dummies, stem) || name == domain || nowhere(domain)) {
		out = append(out, Dummy)
	}
	return out
}

// nowhere reports a domain that is no business's own: typed to fill the field, or
// reserved by RFC 2606. (.example is left out: it stands for real domains in
// demonstrations.)
func nowhere(domain string) bool {
	first, _, _ := strings.Cut(domain, ".")
	return slices.Contains(dummyDomains, first) || strings.HasSuffix(domain, ".invalid") ||
		slices.Contains([]string{"example.com", "example.org", "example.net"}, domain)
}

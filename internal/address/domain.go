package address

import (
	"slices"
	"strings"
)

// reserved are the top-level domains that never reach anybody (RFC 2606, RFC 6761 and
// RFC 6762), and the second-level ones of RFC 2606.
var reserved = []string{
	"invalid", "test", "example", "localhost", "local", "example.com", "example.org", "example.net",
}

// Reserved says that a domain never reaches anybody, by its name alone.
func Reserved(domain string) bool { return Under(domain, reserved) }

// Under says whether a domain is one of these or a subdomain of one.
func Under(domain string, of []string) bool {
	return slices.ContainsFunc(of, func(d string) bool { return domain == d || strings.HasSuffix(domain, "."+d) })
}

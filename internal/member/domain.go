package member

import (
	"context"
	"errors"
	"net"
	"time"

	"keyturn/internal/address"
)

// Domains says of domains whether mail can reach them.
type Domains struct {
	// Real are domains that count as real without a question to the DNS, with their
	// subdomains.
	Real []string
	// Look asks the DNS; nil: nobody is asked. An error means that nothing is known.
	Look func(ctx context.Context, domain string) (takesMail bool, err error)
}

// lookFor is how long the DNS is waited for. A failure there means unknown, never dead.
const lookFor = 2 * time.Second

// Dead says that no mail can reach an address for the sake of its domain.
func (d Domains) Dead(ctx context.Context, to address.Canonical) bool {
	domain := to.Domain()
	if address.Under(domain, d.Real) {
		return false
	}
	if address.Reserved(domain) {
		return true
	}
	if d.Look == nil {
		return false
	}
	bounded, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	takes, err := d.Look(bounded, domain)
	return err == nil && !takes
}

// LookUp asks the DNS whether a domain takes mail: it has a mail server (MX) that is not
// the null one of RFC 7505, or, without any, an address of its own (RFC 5321 section 5.1).
func LookUp(ctx context.Context, domain string) (bool, error) {
	var asked net.Resolver
	servers, err := asked.LookupMX(ctx, domain+".")
	if none, ok := errors.AsType[*net.DNSError](err); ok && none.IsNotFound {
		hosts, err := asked.LookupHost(ctx, domain+".")
		if none, ok := errors.AsType[*net.DNSError](err); ok && none.IsNotFound {
			return false, nil
		}
		return len(hosts) > 0, err
	}
	if err != nil {
		return false, err
	}
	return len(servers) != 1 || servers[0].Host != ".", nil
}

package address

import (
	"slices"
	"strings"
)

// providers are the mail providers that people mistype most: the large ones, and
// those of the countries the product is sold in.
var providers = []string{
	"gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "yahoo.com", "icloud.com",
	"live.com", "protonmail.com", "comcast.net", "verizon.net",
	"bigpond.com", "bigpond.net.au", "optusnet.com.au", "iinet.net.au", "internode.on.net",
	"hotmail.com.au", "outlook.com.au", "yahoo.com.au", "live.com.au",
	"xtra.co.nz", "yahoo.co.nz", "slingshot.co.nz",
	"hotmail.co.uk", "yahoo.co.uk", "live.co.uk", "btinternet.com", "virginmedia.com", "talktalk.net",
}

// neighbours are real providers that are one letter away from another: nobody is asked
// about these.
var neighbours = []string{
	"mail.com", "ymail.com", "email.com", "rocketmail.com",
	"gmx.com", "me.com", "aol.com", "msn.com", "mac.com", "yahoo.ca", "hotmail.ca", "live.ca",
}

// minSlip is the shortest name before the first dot that is compared: of shorter ones
// too many real domains are one letter away.
const minSlip = 5

// Slip suggests the well-known provider that a domain was probably meant to be:
// gmail.com for gmial.com. It compares with one insertion, deletion, change or swap of
// neighbouring letters, and never questions the domain of a provider. Names under the
// reserved top-level domain .example are compared without it, so that gmial.example
// suggests gmail.example. It is a question to ask, not a correction to make.
func Slip(domain string) (suggestion string, ok bool) {
	if name, test := strings.CutSuffix(domain, ".example"); test {
		return slipOf(name, ".example", names(providers), names(neighbours))
	}
	return slipOf(domain, "", providers, neighbours)
}

func slipOf(name, suffix string, known, left []string) (string, bool) {
	if slices.Contains(known, name) || slices.Contains(left, name) {
		return "", false
	}
	for _, p := range known {
		if first, _, _ := strings.Cut(p, "."); len(first) >= minSlip && oneSlip(name, p) {
			return p + suffix, true
		}
	}
	return "", false
}

// names are the first labels.
func names(domains []string) []string {
	out := make([]string, 0, len(domains))
	for _, d := range domains {
		first, _, _ := strings.Cut(d, ".")
		out = append(out, first)
	}
	return out
}

// oneSlip reports whether one insertion, deletion, change or swap of neighbours turns
// a into b.
func oneSlip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 1:
		return a[i:] == b[i+1:]
	case 0:
		return i < len(a) && (a[i+1:] == b[i+1:] ||
			i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:])
	default:
		return false
	}
}

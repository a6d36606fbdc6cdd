package people

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// maxSMS is more SMS parts than a site ever has.
const maxSMS = 1_000_000_000

// given is what a column of a site says, and the line that said it first; no line: no
// row has said it.
type given struct {
	text string
	line int
}

// place is a site as the rows of the file tell of it: each column is that of the first
// row that has it. A site is connected to Xero if any row says so, because a site that
// is wrongly held for unconnected would go without protection.
type place struct {
	ref   string
	says  [siteColumns]given
	zone  *time.Location
	rows  []int
	there *stored // nil: the database does not have it
}

// titles are the site's columns in the words of a note.
var titles = [siteColumns]string{
	colSiteName: "name", colRegion: "region", colZone: "time zone", colXero: "connection to Xero",
	colOrganisation: "organisation at Xero", colSMS: "number of SMS", colManager: "account manager",
}

// learn merges what one row says of its site.
func (p *place) learn(r *Row, c column, text string) {
	known := &p.says[c]
	switch {
	case text == "" || text == known.text:
		return
	case known.line == 0:
		*known = given{text: text, line: r.Line}
	case c == colXero && text == saysYes:
		// The rows that said no are taken, and one note tells of it.
		r.mend(SiteDiffers, fmt.Sprintf("Line %d says that the site is not connected to Xero, and this one that it is: it is taken as connected.", known.line))
		*known = given{text: text, line: r.Line}
	default:
		r.mend(SiteDiffers, fmt.Sprintf("The site has another %s in line %d, and that one counts.", titles[c], known.line))
	}
}

// connected says whether the site is connected to Xero.
func (p *place) connected() bool { return p.says[colXero].text == saysYes }

// willConnect says whether the site is connected to Xero once the file is written.
func (p *place) willConnect() bool {
	if p.there != nil && p.there.xero != "" {
		return p.there.xero != string(policy.Disconnected)
	}
	return p.connected()
}

// region is the country of the site's numbers.
func (p *place) region() string {
	if p.there != nil {
		return p.there.region
	}
	return p.says[colRegion].text
}

// lacks names what a new site cannot be made without; empty if it has all.
func (p *place) lacks() string {
	if p.there != nil {
		return ""
	}
	var missing []string
	for _, c := range []column{colSiteName, colRegion, colZone} {
		if p.says[c].line == 0 {
			missing = append(missing, titles[c])
		}
	}
	return strings.Join(missing, " and no ")
}

// make is the site as it is stored.
func (p *place) make() site.Site {
	parts, _ := strconv.Atoi(p.says[colSMS].text) // judged before; nothing is 0
	return site.Site{
		Ref: p.ref, Name: p.says[colSiteName].text, Region: p.says[colRegion].text, Zone: p.zone,
		SMSAvailable: parts, AccountManager: p.says[colManager].text,
	}
}

// differs says whether the database has the site otherwise than the file tells.
func (p *place) differs() bool {
	other := func(c column, stored string) bool { return p.says[c].line > 0 && p.says[c].text != stored }
	return other(colSiteName, p.there.name) || other(colRegion, p.there.region) || other(colZone, p.there.zone) ||
		p.says[colXero].text == saysNo && p.there.xero != "" && p.there.xero != string(policy.Disconnected)
}

// yes and no as the merged column has them.
const (
	saysYes = "yes"
	saysNo  = "no"
)

// yesOrNo reads a switch; false if it is neither. Nothing is an empty text.
func yesOrNo(typed string) (string, bool) {
	switch strings.ToLower(strings.TrimSpace(typed)) {
	case "":
		return "", true
	case "yes", "true", "1":
		return saysYes, true
	case "no", "false", "0":
		return saysNo, true
	default:
		return "", false
	}
}

// site judges what a row says of its site. What is not usable is not learned.
func (j *judging) site(r *Row, in record, p *place) {
	name, changed := tidy(in.get(colSiteName), maxSiteName)
	if changed {
		r.mend(NameForm, "The site's name was written without needless spaces or characters that cannot be seen, or cut at its limit.")
	}
	p.learn(r, colSiteName, name)

	region := strings.ToUpper(strings.TrimSpace(in.get(colRegion)))
	if region != "" && !j.isRegion(region) {
		r.refuse(BadRegion, "The region must be a country in two letters, as in AU.")
	} else {
		p.learn(r, colRegion, region)
	}
	if zone := strings.TrimSpace(in.get(colZone)); zone != "" {
		at := j.zone(zone)
		if at == nil {
			r.refuse(BadZone, "The time zone must be an IANA name, as in Australia/Brisbane.")
		} else if p.learn(r, colZone, at.String()); p.zone == nil {
			p.zone = at
		}
	}
	xero, ok := yesOrNo(in.get(colXero))
	if !ok {
		r.refuse(BadXero, "Whether the site is connected to Xero must be yes or no.")
	}
	p.learn(r, colXero, xero)
	organisation, _ := tidy(in.get(colOrganisation), maxSiteName)
	p.learn(r, colOrganisation, organisation)
	j.contacts(r, in, p)
}

// contacts judges the columns of a site that may be left out.
func (j *judging) contacts(r *Row, in record, p *place) {
	if typed := strings.TrimSpace(in.get(colSMS)); typed != "" {
		parts, err := strconv.Atoi(typed)
		if err != nil || parts < 0 || parts > maxSMS {
			r.mend(SMSDropped, "The number of SMS is not a whole number and was left out.")
		} else {
			p.learn(r, colSMS, strconv.Itoa(parts))
		}
	}
	if typed := strings.TrimSpace(in.get(colManager)); typed != "" {
		manager, err := address.Email(typed)
		if err != nil {
			r.mend(ManagerDropped, "The account manager's address was left out: "+said(err))
		} else {
			p.learn(r, colManager, string(manager))
		}
	}
}

// zone finds a time zone and remembers the answer: the system's files are slow.
func (j *judging) zone(name string) *time.Location {
	at, known := j.zones[name]
	if !known {
		at, _ = site.Zone(name) // nil says it
		if len(j.zones) < maxCached {
			j.zones[name] = at
		}
	}
	return at
}

func (j *judging) isRegion(region string) bool {
	is, known := j.regions[region]
	if !known {
		is = phone.IsRegion(region)
		if len(j.regions) < maxCached {
			j.regions[region] = is
		}
	}
	return is
}

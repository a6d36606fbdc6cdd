package people

import (
	"cmp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"keyturn/internal/address"
	"keyturn/internal/password"
	"keyturn/internal/phone"
	"keyturn/internal/policy"
	"keyturn/internal/site"
)

// Lengths in characters. References are compared and shown whole, names may be cut.
const (
	maxRef      = 64
	maxName     = 100
	maxSiteName = 200
	maxCached   = 1000
)

// draft is a person of the file and their place in one site, as they will be stored.
type draft struct {
	at          *place
	first, last string
	login       address.Canonical
	mailable    bool
	typedMobile string // until the site's region is known
	mobile      string
	group       policy.Group
	kind        policy.Kind
	status      policy.Status
	sales       bool
	insight     bool
	password    password.Stored
}

func (d *draft) active() bool { return d.status == policy.Active }

// runsSite says whether the person can help the others of the site.
func (d *draft) runsSite() bool {
	return d.group == policy.GroupAdmin && d.kind == policy.Office && d.active()
}

// judging is one pass over a file.
type judging struct {
	im      *Import
	rows    []Row
	places  map[string]*place
	order   []*place // in the order of the file
	zones   map[string]*time.Location
	regions map[string]bool

	// What the database has, when it was asked.
	members map[ref]member
	holders map[address.Canonical]holder
}

// row judges what can be judged of a row alone.
func (j *judging) row(in record) {
	j.rows = append(j.rows, Row{Line: in.line, Verdict: Accepted})
	r := &j.rows[len(j.rows)-1]
	r.UserRef = r.reference(in.get(colUserRef), NoUserRef, "user_ref")
	r.SiteRef = r.reference(in.get(colSiteRef), NoSiteRef, "site_ref")
	if r.SiteRef == "" || r.SiteRef != strings.TrimSpace(in.get(colSiteRef)) {
		return // it belongs nowhere
	}
	p := j.places[r.SiteRef]
	if p == nil {
		p = &place{ref: r.SiteRef}
		j.places[r.SiteRef] = p
		j.order = append(j.order, p)
	}
	p.rows = append(p.rows, len(j.rows)-1)
	j.site(r, in, p)
	d := &draft{at: p, typedMobile: in.get(colMobile)}
	r.person(d, in)
	r.standing(d, in)
	r.secret(d, in)
	if !r.refused() {
		r.draft, r.status = d, d.status
	}
}

// reference reads a reference of the host product, which is never changed beyond the
// spaces around it: claims and API calls carry it.
func (r *Row) reference(typed string, none Key, column string) string {
	name := strings.TrimSpace(typed)
	switch {
	case name == "":
		r.refuse(none, "The row has no "+column+".")
		return ""
	case len([]rune(name)) > maxRef || strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsGraphic(c) || c == utf8.RuneError }):
		r.refuse(BadRef, "The "+column+" is longer than 64 characters, or has some that cannot be seen.")
	case name != typed:
		r.mend(RefForm, "Spaces around the "+column+" were taken away.")
	}
	return clip(name)
}

// person judges names and the login name.
func (r *Row) person(d *draft, in record) {
	var first, last bool
	d.first, first = tidy(in.get(colFirstName), maxName)
	d.last, last = tidy(in.get(colLastName), maxName)
	if first || last {
		r.mend(NameForm, "The name was written without needless spaces or characters that cannot be seen, or cut at 100 characters.")
	}
	typed := in.get(colEmail)
	if strings.TrimSpace(typed) == "" {
		r.refuse(NoLogin, "The row has no login name. Give the person one of their own.")
		return
	}
	login, err := address.Login(typed)
	if err != nil {
		r.refuse(BadLogin, "The login name cannot be used: "+said(err))
		return
	}
	d.login = login
	if string(login) != typed {
		r.mend(LoginForm, "The login name was written in its one form, without spaces around it and in lower case. Typed as before, it still signs in.")
	}
}

// standing judges the membership's columns. The case of their letters says nothing.
func (r *Row) standing(d *draft, in record) {
	d.group, d.kind, d.status = oneOf(in.get(colGroup), site.Groups()...),
		oneOf(in.get(colKind), policy.Office, policy.Mobile),
		oneOf(in.get(colStatus), policy.Active, policy.Inactive, policy.Blocked)
	if d.group == "" {
		r.refuse(BadGroup, "The group is none of those that there are: "+joined(site.Groups())+".")
	}
	if d.kind == "" {
		r.refuse(BadKind, "The kind must be office or mobile.")
	}
	if d.status == "" {
		r.refuse(BadStatus, "The status must be Active, Inactive or Blocked.")
	}
	sales, salesOK := yesOrNo(in.get(colSales))
	insight, insightOK := yesOrNo(in.get(colIntelligence))
	if !salesOK || !insightOK {
		r.mend(ToggleDropped, "The Sales Dashboard or Business Intelligence column is neither yes nor no, and was taken as no.")
	}
	d.sales, d.insight = sales == saysYes, insight == saysYes
}

// secret judges the password's hash.
func (r *Row) secret(d *draft, in record) {
	typed := in.get(colHash)
	hash := strings.TrimSpace(typed)
	if hash == "" {
		return // whether there is one is known when the database was asked
	}
	var err error
	if d.password, err = password.Parse(hash); err != nil {
		r.refuse(BadHash, "The password's hash cannot be used: "+said(err))
		return
	}
	if hash != typed {
		r.mend(HashForm, "Spaces around the password's hash were taken away.")
	}
}

// roads judges by which channels a person can be reached, when their site is known.
func (j *judging) roads(r *Row) {
	d := r.draft
	d.mailable = j.im.mailable(d.login)
	if !d.mailable {
		r.remark(Undeliverable, "No mail can reach this login name. It signs in wherever a password is enough, and no email method was made.")
	} else {
		if meant, ok := address.Slip(d.login.Domain()); ok {
			r.remark(Slip, "The address's domain looks like "+meant+", mistyped. Ask the person before the import.")
		}
		for _, why := range address.Suspect(d.login) {
			switch why {
			case address.Role:
				r.remark(Role, "This looks like a mailbox that several people read.")
			case address.Dummy:
				r.remark(Dummy, "This looks like an address that was made up to fill the field.")
			}
		}
	}
	if strings.TrimSpace(d.typedMobile) == "" {
		return
	}
	number, err := phone.Mobile(d.typedMobile, d.at.region(), j.im.Countries)
	switch {
	case err != nil:
		r.mend(MobileDropped, "The mobile number was left out: "+said(err))
	case number != d.typedMobile:
		r.mend(MobileForm, "The mobile number was written with its country.")
	}
	d.mobile = number
}

// mailable says whether a login name has the form of an address, and a domain that may
// exist. The DNS is not asked: a failure there would say nothing.
func (i *Import) mailable(login address.Canonical) bool {
	if !address.IsDeliverable(login) {
		return false
	}
	return address.Under(login.Domain(), i.RealDomains) || !address.Reserved(login.Domain())
}

// tidy takes out needless spaces and what cannot be seen, and cuts at a number of
// characters; true if that changed anything.
func tidy(typed string, most int) (string, bool) {
	name := strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		switch {
		case unicode.IsControl(c):
			return ' '
		case unicode.Is(unicode.Bidi_Control, c), c == '\ufeff', c == '\ufffd':
			return -1
		default:
			return c
		}
	}, typed)), " ")
	if letters := []rune(name); len(letters) > most {
		name = strings.TrimSpace(string(letters[:most]))
	}
	return name, name != typed
}

// oneOf finds a word among those allowed, whatever the case of its letters; empty if it
// is none.
func oneOf[T ~string](typed string, allowed ...T) T {
	typed = strings.TrimSpace(typed)
	for _, word := range allowed {
		if strings.EqualFold(typed, string(word)) {
			return word
		}
	}
	return ""
}

func joined[T ~string](words []T) string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = string(word)
	}
	return strings.Join(out, ", ")
}

// byPrecedence orders two rows that want the same name.
func byPrecedence(a, b *Row) int {
	return cmp.Or(before(a.Here, b.Here), before(a.draft.active(), b.draft.active()), cmp.Compare(a.Line, b.Line))
}

// before puts true before false.
func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

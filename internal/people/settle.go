package people

import (
	"fmt"
	"slices"

	"keyturn/internal/address"
	"keyturn/internal/policy"
)

// ref is the host product's reference of a membership.
type ref struct{ site, user string }

func (r ref) String() string { return "user " + r.user + " of site " + r.site }

// stored is a site that the database has.
type stored struct {
	name, region, zone string
	// xero is the state of its connection; empty if it never had one.
	xero string
}

// member is a membership that the database has.
type member struct {
	login    address.Canonical
	status   policy.Status
	password bool // whether there is one
	runsSite bool
}

// holder is who has a login name in the database.
type holder struct {
	staff bool
	// of is one of their memberships; zero if they have none.
	of ref
}

// settle decides, with what the database has, which rows keep their names.
func (j *judging) settle() {
	lines := make(map[ref]int, len(j.rows))
	var open []*Row
	for i := range j.rows {
		r := &j.rows[i]
		if r.refused() {
			continue
		}
		if lacks := r.draft.at.lacks(); lacks != "" {
			r.refuse(SiteIncomplete, "No row of the site says it rightly: there is no "+lacks+".")
			continue
		}
		if m, ok := j.members[r.ref()]; ok && m.login == r.draft.login {
			r.Here = true
		}
		if lines[r.ref()] == 0 {
			lines[r.ref()] = r.Line
		}
		open = append(open, r)
	}
	slices.SortFunc(open, byPrecedence)
	byRef, byLogin := make(map[ref]*Row, len(open)), make(map[address.Canonical]*Row, len(open))
	for _, r := range open {
		if key, text := j.objection(r, byRef, byLogin, lines); key != "" {
			r.Here = false
			r.refuse(key, text)
			continue
		}
		byRef[r.ref()], byLogin[r.draft.login] = r, r
		j.roads(r)
		if !j.hasPassword(r) {
			r.remark(NoPassword, "There is no password yet: this person cannot sign in until one is set.")
		}
		if r.Here {
			r.status = j.members[r.ref()].status
			r.remark(HereAlready, "This person is here already. Nothing of them is changed.")
		}
	}
}

// hasPassword says whether a person has a password after the import. Of somebody who is
// here already the file's hash is not taken.
func (j *judging) hasPassword(r *Row) bool {
	if r.Here {
		return j.members[r.ref()].password
	}
	return r.draft.password.Form() != ""
}

func (r *Row) ref() ref { return ref{site: r.SiteRef, user: r.UserRef} }

const ownName = " Give this person a login name of their own."

// objection says why a row cannot have its names; an empty key if it can.
func (j *judging) objection(r *Row, byRef map[ref]*Row, byLogin map[address.Canonical]*Row, lines map[ref]int) (Key, string) {
	if other := byRef[r.ref()]; other != nil {
		return RefTaken, fmt.Sprintf("Line %d is the same user_ref of the same site.", other.Line)
	}
	if other := byLogin[r.draft.login]; other != nil {
		return LoginTaken, fmt.Sprintf("Line %d (%s) has this login name.", other.Line, other.ref()) + ownName
	}
	if r.Here {
		return "", ""
	}
	return against(r, j.members, j.holders, lines)
}

// against says what the database objects to a row that it does not have; an empty key
// if nothing.
func against(r *Row, members map[ref]member, holders map[address.Canonical]holder, lines map[ref]int) (Key, string) {
	if _, ok := members[r.ref()]; ok {
		return OtherLogin, "This user_ref is here under another login name, and an import changes nobody: the login name stays."
	}
	who, taken := holders[r.draft.login]
	switch {
	case !taken:
		return "", ""
	case who.staff:
		return LoginTaken, "A member of the vendor's staff has this login name." + ownName
	case who.of == ref{}:
		return LoginTaken, "A user who is here already, in no site, has this login name." + ownName
	case lines[who.of] > 0:
		return LoginTaken, fmt.Sprintf("Line %d (%s), who is here already, has this login name.", lines[who.of], who.of) + ownName
	default:
		return LoginTaken, fmt.Sprintf("The %s, who is here already, has this login name.", who.of) + ownName
	}
}

// sites says of each site what is to be known of it as a whole, on its first row that
// is not refused, and tells the report.
func (j *judging) sites(report *Report) {
	run := make(map[string]bool)
	for at, m := range j.members {
		if m.runsSite {
			run[at.site] = true
		}
	}
	for _, p := range j.order {
		var r *Row
		for _, i := range p.rows {
			if row := &j.rows[i]; !row.refused() {
				if r == nil {
					r = row
				}
				run[p.ref] = run[p.ref] || row.draft.runsSite()
			}
		}
		if r == nil {
			if p.there == nil {
				report.NotMade = append(report.NotMade, p.ref)
			}
			continue
		}
		if !run[p.ref] {
			report.NoAdmin = append(report.NoAdmin, p.ref)
			r.remark(NoAdmin, "The site has no active Admin in the office. Every site needs one.")
		}
		if p.there != nil && p.differs() {
			r.remark(SiteHere, "The site is here already, otherwise than the file tells of it. What it has is left as it is.")
		}
		if p.there != nil && p.connected() && p.there.xero == string(policy.Disconnected) {
			r.remark(XeroLeft, "The file says that the site is connected to Xero, and here it was disconnected. That is left as it is.")
		}
		if p.there != nil && p.connected() && p.there.xero == "" {
			report.Connects = append(report.Connects, p.ref)
			r.remark(XeroConnects, "This run connects the site to Xero: 2FA is asked of its office members from then on.")
		}
		if p.there == nil && p.connected() {
			report.NewConnected++
		}
	}
}

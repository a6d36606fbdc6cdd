package paper

import (
	"maps"
	"slices"
	"strings"
	"time"

	"keyturn/internal/evidence"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/web/reason"
)

type siteView struct {
	Name, Ref string
	// Facts are sentences, Failed one that says that a sign-in lacked a second factor.
	Facts   []string
	Members []memberView
	Without []withoutView
	// More is how many of those are not listed.
	More int
}

type memberView struct{ User, Login, Group, Look, Ready, Methods string }

type withoutView struct{ Where, Why, Record string }

func viewOf(s evidence.Site) siteView {
	zone, err := site.Zone(s.Zone)
	if err != nil {
		zone = time.UTC // a zone of a later year than this program's
	}
	v := siteView{Name: s.Name, Ref: s.Ref, More: s.SignIns.Without - len(s.Without)}
	v.Facts = slices.Concat(connection(s, zone), requirement(s, zone), chosen(s), exceptions(s, zone), signIns(s, zone))
	for _, m := range s.Members {
		v.Members = append(v.Members, memberView{
			User: m.User, Login: m.Login, Group: string(m.Group), Look: look(m.Readiness), Ready: reason.Mark(m.Readiness), Methods: methods(m.Methods),
		})
	}
	for _, e := range s.Exempt {
		why := locale.Say(locale.EvidencePageWhyEnded)
		if e.Why == evidence.MobileMember {
			why = locale.Say(locale.EvidencePageWhyMobile)
		}
		v.Members = append(v.Members, memberView{
			User: e.User, Login: e.Login, Group: string(e.Group), Look: "none", Ready: reason.Mark(policy.Exempt), Methods: why,
		})
	}
	for _, w := range s.Without {
		v.Without = append(v.Without, withoutOf(w, zone))
	}
	return v
}

func connection(s evidence.Site, zone *time.Location) []string {
	said := locale.Say(locale.EvidencePageSiteSinceLong, locale.Data{"Organisation": s.Xero.Organisation})
	if !s.Xero.Since.IsZero() {
		said = locale.Say(locale.EvidencePageSiteSince, locale.Data{
			"Organisation": s.Xero.Organisation, "Since": moment(s.Xero.Since, zone), "By": s.Xero.By,
		})
	}
	all := []string{said}
	switch s.Xero.State {
	case policy.Failing:
		all = append(all, locale.Say(locale.EvidencePageSiteFailing))
	case policy.Disconnected:
		all = append(all, locale.Say(locale.EvidencePageSiteEnded, locale.Data{"At": moment(s.Xero.DisconnectedAt, zone)}))
	case policy.Connected:
	}
	return all
}

func requirement(s evidence.Site, zone *time.Location) []string {
	r := s.Requirement
	switch {
	case r.Enforced && r.Since.IsZero():
		return []string{locale.Say(locale.EvidencePageSiteEnforcedLong)}
	case r.Enforced:
		return []string{locale.Say(locale.EvidencePageSiteEnforced, locale.Data{"Since": moment(r.Since, zone)})}
	case !r.From.IsZero():
		return []string{locale.Say(locale.EvidencePageSiteFrom, locale.Data{"From": moment(r.From, zone)})}
	}
	return []string{locale.Say(locale.EvidencePageSiteFree)}
}

func chosen(s evidence.Site) []string {
	remember := ""
	switch s.Settings.RememberNow {
	case policy.RememberOff:
		remember = locale.Say(locale.EvidencePageRememberOff)
	case policy.RememberDaily:
		remember = locale.Say(locale.EvidencePageRememberDaily)
	case policy.Remember7, policy.Remember14, policy.Remember30:
		remember = locale.Say(locale.EvidencePageRememberDays, locale.Data{"Days": string(s.Settings.RememberNow)})
	}
	return []string{locale.Say(locale.EvidencePageSiteSettings, locale.Data{"Weakest": reason.Method(s.Settings.Weakest), "Remember": remember})}
}

func exceptions(s evidence.Site, zone *time.Location) (all []string) {
	for _, e := range s.Exceptions {
		until := moment(e.Until, zone)
		switch e.Why {
		case evidence.Extension:
			said := locale.Say(locale.EvidencePageWhyExtension, locale.Data{"Until": until})
			if e.Reason != "" {
				said = locale.Say(locale.EvidencePageWhyExtended, locale.Data{"Until": until, "Reason": e.Reason})
			}
			all = append(all, said)
		case evidence.Gated:
			all = append(all, locale.Say(locale.EvidencePageWhyGated, locale.Data{"Until": until}))
		case evidence.HeldBack:
			all = append(all, locale.Say(locale.EvidencePageWhyHeld))
		case evidence.NotYet:
			all = append(all, locale.Say(locale.EvidencePageWhyNotyet, locale.Data{"Until": until}))
		case evidence.Lowered:
			all = append(all, locale.Say(locale.EvidencePageWhyLowered))
		case evidence.MobileMember, evidence.AccessEnded: // of people
		}
	}
	return all
}

func signIns(s evidence.Site, zone *time.Location) []string {
	n := s.SignIns
	all := []string{locale.Say(locale.EvidencePageSiteSignins, locale.Data{
		"All": n.All, "Passed": n.Passed, "Remembered": n.Remembered, "Exempt": n.Exempt, "Before": n.Before, "Without": n.Without,
	})}
	if s.SharedLogins > 0 {
		all = append(all, locale.Say(locale.EvidencePageSiteShared, locale.Data{"Count": s.SharedLogins}))
	}
	if s.Trail.Events == 0 {
		return append(all, locale.Say(locale.EvidencePageSiteTrailNone))
	}
	return append(all, locale.Say(locale.EvidencePageSiteTrail, locale.Data{"Events": s.Trail.Events, "Since": moment(s.Trail.Since, zone)}))
}

func look(m policy.Mark) string {
	return map[policy.Mark]string{policy.Ready: "ready", policy.WillManage: "manage", policy.NeedsHelp: "help"}[m]
}

func methods(all []evidence.Method) string {
	if len(all) == 0 {
		return locale.Say(locale.EvidencePageNone)
	}
	said := make([]string, len(all))
	for i, m := range all {
		if said[i] = reason.Method(m.Kind); !m.Proved {
			said[i] = locale.Say(locale.EvidencePageNotProved, locale.Data{"Method": said[i]})
		}
	}
	return strings.Join(said, ", ")
}

func withoutOf(w evidence.SignIn, zone *time.Location) withoutView {
	v := withoutView{Where: locale.Say(locale.EvidencePageRecord, locale.Data{"At": moment(w.At, zone), "User": w.User, "Event": w.Event})}
	outcome, reasons, _ := policy.Recorded(w.Record)
	v.Why = reason.Outcome(outcome)
	for _, r := range reasons {
		v.Why += " " + reason.Reader{Zone: zone, Now: w.At}.Sentence(r)
	}
	var facts []string
	for _, name := range slices.Sorted(maps.Keys(w.Record)) {
		facts = append(facts, name+"="+w.Record[name])
	}
	v.Record = strings.Join(facts, " ")
	return v
}

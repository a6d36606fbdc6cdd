package settings

import (
	"keyturn/internal/locale"
	"keyturn/internal/sharing"
	"keyturn/internal/web"
)

// SharedPage lists the logins that several people may use.
type SharedPage struct {
	Site, Path string
	// Open are to be looked at, Planned become several, Settled are one person's.
	Open, Planned, Settled []SharedLogin
}

// Head implements web.Page.
func (p SharedPage) Head() web.Head {
	return web.Head{Template: "settings/shared", Title: locale.Say(locale.SharingTitle), Site: p.Site, Layout: web.Broad}
}

// SharedLogin is one of them.
type SharedLogin struct {
	ID, Name, Login, Group string
	// Evidence is why, a sentence each.
	Evidence []string
	// Note says how it stands. May be empty.
	Note string
}

// OneSharedPage is one login: what speaks for several people, and what can be done.
type OneSharedPage struct {
	// Path is that of the list.
	Site, Path             string
	ID, Name, Login, Group string
	Evidence               []string
	// Done says what was done just now, Fault why it was not.
	Done, Fault string
	// Prove says that the admin must prove first who they are, and that something is typed
	// already; ProveBefore that they must, and nothing is.
	Prove, ProveBefore bool
	// People are the rows of the form; Full says that it holds no more of them.
	People []PersonRow
	Full   bool
	// First and Last are the days from which to choose, in words; Least and Most as a form
	// has them; Day is the one that is chosen.
	First, Last, Least, Most, Day, DayFault string
	// MayDismiss says that there is something to say "it is one person" to.
	MayDismiss          bool
	Reason, ReasonFault string
	// Settled says who said that it is one person. May be empty.
	Settled string
	// Split is the id of the plan, empty for none; SplitBy and SplitOn who made it and when.
	Split, SplitDay, SplitBy, SplitOn string
	Held                              bool
	Named                             []NamedPerson
}

// Head implements web.Page.
func (p OneSharedPage) Head() web.Head {
	h := web.Head{Template: "settings/sharedone", Title: p.Name, Site: p.Site, Layout: web.Reading, Problem: p.Fault}
	switch {
	case p.Prove:
		h.Problem = locale.Say(locale.SharingProve)
	case p.DayFault != "":
		h.Problem = p.DayFault
	case p.ReasonFault != "":
		h.Problem = p.ReasonFault
	}
	return h
}

// PersonRow is one person of the form.
type PersonRow struct {
	No int
	// Key is what the names of its fields end in.
	Key                                string
	FirstName, LastName, Email, Mobile string
	Groups                             []GroupChoice
	// Fault says what is wrong, Field is the word of the domain for where.
	Fault, Field string
}

// AtName says that the fault stands beside the name.
func (r PersonRow) AtName() bool {
	return r.Field == string(sharing.NoName) || r.Field == string(sharing.LongName)
}

// AtEmail is like AtName.
func (r PersonRow) AtEmail() bool {
	return r.Field == string(sharing.WrongEmail) || r.Field == string(sharing.OwnEmail) || r.Field == string(sharing.TwiceEmail)
}

// AtMobile is like AtName.
func (r PersonRow) AtMobile() bool { return r.Field == string(sharing.WrongMobile) }

// AtGroup is like AtName.
func (r PersonRow) AtGroup() bool { return r.Field == string(sharing.WrongGroup) }

// NamedPerson is somebody who was asked for.
type NamedPerson struct{ Name, Email, Group string }

// ProvedPage is where a proof in a window of its own ends.
type ProvedPage struct{ Site, Path string }

// Head implements web.Page.
func (p ProvedPage) Head() web.Head {
	return web.Head{Template: "settings/proved", Title: locale.Say(locale.SharingProved), Site: p.Site, Layout: web.Narrow}
}

// evidenceWords says each thing in a sentence.
func evidenceWords(l sharing.Login) []string {
	var all []string
	for _, e := range l.Evidence {
		all = append(all, evidenceWord(e, string(l.Login)))
	}
	return all
}

func evidenceWord(e sharing.Evidence, login string) string {
	switch e.Kind {
	case sharing.SideBySide:
		return locale.Say(locale.SharingSideBySide, locale.Data{"Count": e.Days})
	case sharing.SameRoom:
		return locale.Say(locale.SharingSameRoom, locale.Data{"Count": e.Days})
	case sharing.AtOnce:
		return locale.Say(locale.SharingAtOnce, locale.Data{"Count": e.Days, "Devices": e.Count})
	case sharing.LongDays:
		return locale.Say(locale.SharingLongDays, locale.Data{"Count": e.Days, "Hours": e.Count})
	case sharing.ManyComputers:
		return locale.Say(locale.SharingManyComputers, locale.Data{"Count": e.Count})
	case sharing.Crossed:
		return locale.Say(locale.SharingCrossed, locale.Data{"Count": e.Days})
	case sharing.RoleMailbox:
		return locale.Say(locale.SharingRoleMailbox, locale.Data{"Login": login})
	case sharing.RoleName:
		return locale.Say(locale.SharingRoleName)
	case sharing.TwoNames:
		return locale.Say(locale.SharingTwoNames)
	case sharing.ManyNames:
		return locale.Say(locale.SharingManyNames, locale.Data{"Count": e.Count})
	}
	return string(e.Kind)
}

// faultWords says what is wrong with a person.
func faultWords(f sharing.Fault) string {
	switch f {
	case sharing.NoName:
		return locale.Say(locale.SharingFaultName)
	case sharing.LongName:
		return locale.Say(locale.SharingFaultLong)
	case sharing.WrongEmail:
		return locale.Say(locale.SharingFaultEmail)
	case sharing.OwnEmail:
		return locale.Say(locale.SharingFaultOwn)
	case sharing.TwiceEmail:
		return locale.Say(locale.SharingFaultTwice)
	case sharing.WrongMobile:
		return locale.Say(locale.SharingFaultMobile)
	case sharing.WrongGroup:
		return locale.Say(locale.SharingFaultGroup)
	}
	return ""
}

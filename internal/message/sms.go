package message

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/locale"
)

const (
	// longestName and shortestName bound what a name takes of an SMS, in septets: it is
	// shortened as far as needed, and never below the second. CheckTemplates proves that
	// no more is ever needed.
	longestName  = 40
	shortestName = 16
	// longestReference bounds the reference that the page shows, too.
	longestReference = 12
)

// script is one SMS before its names are shortened.
type script struct {
	// say gives the sentences, with every name shortened by the function that it is
	// given, and which stays as it is for none.
	say func(name func(string) string) string
	// short takes the place of the sentences where they do not fit; may be empty.
	short string
	// last is the last line, or empty.
	last string
}

func (s script) whole(sentences string) string {
	text := toGSM(sentences)
	if s.last != "" {
		text += "\n" + s.last
	}
	return text
}

// body is the text in one part of the GSM 7-bit alphabet; false if even the shortest
// names leave too little room.
func (s script) body() (string, bool) {
	for most := longestName; most >= shortestName; most-- {
		text := s.whole(s.say(func(name string) string { return Fit(oneLine(name), most) }))
		if n, ok := Septets(text); ok && n <= onePart {
			return text, true
		}
	}
	text := s.whole(s.short)
	n, ok := Septets(text)
	return text, ok && n <= onePart && s.short != ""
}

// size is how many septets the text takes with names that are as long as the shortest
// that are ever used.
func (s script) size() (int, bool) {
	n, ok := Septets(s.whole(s.say(func(string) string { return strings.Repeat("m", shortestName) })))
	if n > onePart && s.short != "" {
		return Septets(s.whole(s.short))
	}
	return n, ok
}

// bound is the last line of a code, by which a browser knows whose page it is for ("Origin-
// bound one-time codes delivered via SMS", WICG).
func bound(host, code string) string {
	if host == "" {
		return ""
	}
	return "@" + host + " #" + code
}

// codeScript is the SMS of a code.
func codeScript(m Message, code, host string) (script, error) {
	zone, err := time.LoadLocation(m.Words.Zone)
	if err != nil {
		return script{}, fmt.Errorf("the time zone of a message: %w", err)
	}
	until := locale.Clock(m.ExpiresAt, zone)
	return script{last: bound(host, code), say: func(name func(string) string) string {
		from := firstOf(name(m.Words.From), name(m.Words.Vendor), name(host))
		var says string
		switch m.Kind {
		case ProveCode:
			says = locale.Say(locale.TextProve, locale.Data{"Code": code, "From": from, "Until": until})
		case TestCode:
			says = locale.Say(locale.TextTest, locale.Data{"Code": code, "From": from})
		case SignInCode, ResetLink, RecoveryStop, LoginUndo, InvitationLink, NoticeMail:
			says = locale.Say(locale.TextSignin, locale.Data{"Code": code, "From": from, "Until": until})
		}
		if m.Reference != "" {
			says += " " + locale.Say(locale.TextReference, locale.Data{"Reference": Fit(m.Reference, longestReference)})
		}
		return says
	}}, nil
}

// stopScript is the SMS by which a recovery is stopped.
func stopScript(m Message, link string) script {
	return script{
		short: locale.Say(locale.TextStopShort, locale.Data{"Link": link}),
		say: func(name func(string) string) string {
			return locale.Say(locale.TextStop, locale.Data{"From": firstOf(name(m.Words.From), name(m.Words.Vendor)), "Link": link})
		},
	}
}

// noticeScript is the one line that says what happened, without a link.
func noticeScript(w Words, all []told) (script, error) {
	zone, err := time.LoadLocation(w.Zone)
	if err != nil {
		return script{}, fmt.Errorf("the time zone of a notice: %w", err)
	}
	if len(all) == 0 {
		return script{}, fmt.Errorf("a notice of nothing: %w", fault.Invalid)
	}
	return script{say: func(name func(string) string) string {
		from := firstOf(name(w.From), name(w.Vendor))
		s := speaker{Words: w, zone: zone, name: name}
		s.From = from
		then := locale.Say(locale.TextNotYou)
		if helper := name(w.Helper); helper != "" {
			then = locale.Say(locale.TextNotYouTell, locale.Data{"Who": helper})
		}
		if len(all) > 1 && !aboutMe(all) {
			return locale.Say(locale.TextNoticesSite, locale.Data{"From": from, "Count": len(all), "Then": locale.Say(locale.TextLook)})
		}
		if len(all) > 1 {
			return locale.Say(locale.TextNotices, locale.Data{"From": from, "Count": len(all), "Then": then})
		}
		one := all[0]
		if one.about() != aboutYou {
			then = locale.Say(locale.TextLook)
		}
		return locale.Say(locale.TextNotice, locale.Data{
			"From": from, "At": locale.Exact(one.MadeAt, zone, one.MadeAt), "What": s.what(one), "Then": then,
		})
	}}, nil
}

func firstOf(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// link is the page of a secret link.
func link(base *url.URL, kind Kind, token string) (string, error) {
	if base == nil {
		return "", fmt.Errorf("a link needs the public URL: %w", fault.Invalid)
	}
	under := "reset"
	switch kind { //nolint:exhaustive // the others have no link
	case RecoveryStop:
		under = "stop"
	case InvitationLink:
		under = "invitation"
	case LoginUndo:
		under = "undo"
	}
	return base.JoinPath(under, url.PathEscape(token)).String(), nil
}

// noticeKinds are all kinds of notices, in the order of the list.
var noticeKinds = []NoticeKind{
	MethodAdded, MethodRemoved, RecoveryCodesMade, RecoveryCodeUsed, FewRecoveryCodes, PasswordChanged, PasswordReset,
	HelpAsked, HelpCodeGiven, HelpApproved, RecoveryBegun, RecoveryConfirmed, RecoveryContested, RecoveryDone,
	LoginsJoined, SMSLow, AddressDead, StaffAdded,
	RequestMade, RequestSecond, RequestApproved, RequestDeclined, RequestExpired, InvitationAccepted, AccessEnding, AccessEnded,
	SharingDismissed, SplitPlanned, SplitSoon, SplitCancelled, SplitDone, SplitHeld,
	LoginChanged, LoginUndone, LoginReplaced, FirstPasswordMoved, MobileChanged, SessionsEnded, MemberLeft, MemberStopped, MemberAdmin,
	SettingsChanged, RequirementLowered, XeroConnected, XeroDisconnected, XeroFailing,
	StaffEnded, SiteOpened, GetReady, SiteNotReady, YouAreReady, SiteDate, SiteReady,
	RolloutDated, RolloutPaused, RolloutBack, RolloutUnproved, RolloutHeld, RolloutPutOff, RolloutStopped,
	WebhookOff,
}

// CheckTemplates says whether every SMS fits into one part with the longest names and
// with this host, which codes and links hold: the public URL's, without a port. If one
// does not, nothing should be started; the error says which, and what to shorten.
func CheckTemplates(host string) error {
	if n, ok := Septets(host); !ok || n != len(host) || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("the host of the public URL is not plain enough for an SMS: write it in its ASCII form: %w", fault.Invalid)
	}
	for _, t := range templates(host) {
		n, ok := t.script.size()
		if !ok {
			return fmt.Errorf("the SMS %q has characters that an SMS of one part cannot have: change its words: %w", t.name, fault.Invalid)
		}
		if n <= onePart {
			continue
		}
		mend := fmt.Sprintf("shorten its words by %d characters", n-onePart)
		if t.host {
			mend = fmt.Sprintf("use a public URL whose host is shorter by %d characters, or shorten its words", n-onePart)
		}
		return fmt.Errorf("the SMS %q does not fit into one part of %d characters: %s: %w", t.name, onePart, mend, fault.Invalid)
	}
	return nil
}

// sample is one SMS at its longest.
type sample struct {
	name   string
	host   bool
	script script
}

// templates are all of them. The errors of the makers are about time zones and empty
// lists, and there are none here.
func templates(host string) []sample {
	at := time.Date(2026, 12, 30, 12, 59, 0, 0, time.UTC) // as many characters as a time ever has
	name := strings.Repeat("m", shortestName)
	words := Words{From: name, Vendor: name, Zone: "UTC", Helper: name}
	m := Message{Words: words, Reference: strings.Repeat("M", longestReference), ExpiresAt: at}
	var all []sample
	for _, kind := range []Kind{SignInCode, ProveCode, TestCode} {
		m.Kind = kind
		s, _ := codeScript(m, "000000", host)
		all = append(all, sample{string(kind), true, s})
	}
	const token = 43 // secret.Token
	stop, _ := link(&url.URL{Scheme: "https", Host: host}, RecoveryStop, strings.Repeat("m", token))
	all = append(all, sample{string(RecoveryStop), true, stopScript(m, stop)})
	for _, n := range longestNotices(at, name) {
		s, _ := noticeScript(words, n)
		all = append(all, sample{string(NoticeMail) + " " + string(n[0].Kind), false, s})
	}
	return all
}

// longestNotices are the notices with all words and with none, and many at once.
func longestNotices(at time.Time, name string) [][]told {
	var all [][]told
	full := map[string]string{"by": name, "who": name, "left": "100000", "at": at.Format(time.RFC3339), "channel": string(SMS), "address": name}
	dated := map[string]string{"by": name, "date": "wave"}
	alone := map[string]string{"by": name, "left": "100000", "at": at.Format(time.RFC3339)}
	for _, kind := range noticeKinds {
		for _, words := range []map[string]string{full, alone, dated} {
			for _, method := range []string{"", "email", "sms", "totp", "passkey", "recovery"} {
				words["method"] = method
				all = append(all, []told{{Kind: kind, Words: maps.Clone(words), MadeAt: at}})
			}
		}
	}
	return append(all, slices.Repeat([]told{{Kind: MethodAdded, MadeAt: at}}, 50))
}

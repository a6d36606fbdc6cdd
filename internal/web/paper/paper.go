// Package paper shows an evidence pack as a page to print: one file with its own style, that
// loads nothing, runs nothing and is read years later. It is not served: it lies beside the
// pack that it was made from, and is signed with it.
package paper

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"keyturn/internal/evidence"
	"keyturn/internal/locale"
	"keyturn/internal/policy"
	"keyturn/internal/web/reason"
)

//go:embed page.html page.css
var files embed.FS

// Page is the pack's page, of which a site is held at a time.
func Page(w io.Writer, p evidence.Pack, sites iter.Seq2[evidence.Site, error]) error {
	style, err := files.ReadFile("page.css")
	if err != nil {
		return fmt.Errorf("read the style: %w", err)
	}
	t, err := template.New("page.html").Option("missingkey=error").Funcs(template.FuncMap{
		"say": func(key locale.Key) string { return locale.Say(key) },
	}).ParseFS(files, "page.html")
	if err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	data := pageOf(p)
	data.Style = template.CSS(style) //nolint:gosec // it is the file above and nobody's input
	var broken error
	data.Sites = func(yield func(siteView) bool) {
		for one, err := range sites {
			if err != nil {
				broken = err
				return
			}
			if !yield(viewOf(one)) {
				return
			}
		}
	}
	if err := t.Execute(w, data); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return broken
}

type pageView struct {
	Lang, Title, Lead, Period, Some string
	Style                           template.CSS
	Summary                         []line
	Without                         line
	// Clean says that no sign-in lacked a second factor.
	Clean                            bool
	Rules, Deviations, Doors, Limits []evidence.Words
	Standards                        []standard
	Listed                           int
	Sites                            iter.Seq[siteView]
	Checkpoint, Command              string
}

// line is a figure: what on the left, which on the right.
type line struct{ What, Which string }

type standard struct {
	Name string
	Rows []controlView
}

type controlView struct{ Number, Title, Look, Answer, Words string }

func pageOf(p evidence.Pack) pageView {
	v := pageView{
		Lang:  locale.Lang,
		Title: locale.Say(locale.EvidencePageTitle),
		Lead: locale.Say(locale.EvidencePageLead, locale.Data{
			"Vendor": p.Vendor, "At": moment(p.At, time.UTC), "Version": p.Version,
		}),
		Period: locale.Say(locale.EvidencePagePeriod, locale.Data{"From": moment(p.From, time.UTC), "Until": moment(p.Until, time.UTC)}),
		Clean:  p.Totals.SignIns.Without == 0,
		Rules:  p.Rules, Deviations: p.Deviations, Doors: p.Doors, Limits: p.Limits,
		Listed: p.Totals.Listed, Checkpoint: p.Checkpoint,
		Command: "keyturn evidence verify FILE --key KEY",
	}
	if !p.Whole {
		v.Some = locale.Say(locale.EvidencePageSome)
	}
	v.Summary, v.Without = summary(p.Totals)
	for _, c := range p.Controls {
		if n := len(v.Standards); n == 0 || v.Standards[n-1].Name != c.Standard {
			v.Standards = append(v.Standards, standard{Name: c.Standard})
		}
		last := &v.Standards[len(v.Standards)-1]
		last.Rows = append(last.Rows, controlView{Number: c.Number, Title: c.Title, Look: string(c.Answer), Answer: answer(c.Answer), Words: c.Words})
	}
	return v
}

func answer(a evidence.Answer) string {
	switch a {
	case evidence.Met:
		return locale.Say(locale.EvidencePageAnswerMet)
	case evidence.Deviation:
		return locale.Say(locale.EvidencePageAnswerDeviation)
	case evidence.NotApplicable:
		return locale.Say(locale.EvidencePageAnswerNone)
	case evidence.VendorsOwn:
	}
	return locale.Say(locale.EvidencePageAnswerVendor)
}

func summary(t evidence.Totals) (all []line, without line) {
	add := func(key locale.Key, n ...int) {
		words := make([]string, len(n))
		for i, one := range n {
			words[i] = strconv.Itoa(one)
		}
		all = append(all, line{locale.Say(key), strings.Join(words, " / ")})
	}
	add(locale.EvidencePageOfSites, t.Sites)
	add(locale.EvidencePageListed, t.Listed)
	add(locale.EvidencePageStates, t.Connected, t.Failing, t.Disconnected)
	add(locale.EvidencePageEnforced, t.Enforced)
	add(locale.EvidencePageToCome, t.ToCome)
	add(locale.EvidencePageHeld, t.HeldBack)
	add(locale.EvidencePageExtended, t.Extended)
	add(locale.EvidencePageGated, t.Gated)
	add(locale.EvidencePageMembers, t.OfficeMembers)
	add(locale.EvidencePageReadiness, t.Readiness.Ready, t.Readiness.WillManage, t.Readiness.NeedsHelp)
	add(locale.EvidencePageExempt, t.Exempt)
	var proved []string
	for _, kind := range []policy.MethodKind{policy.Email, policy.SMS, policy.TOTP, policy.Passkey, policy.Recovery} {
		proved = append(proved, locale.Say(locale.EvidencePageMethodCount, locale.Data{"Method": reason.Method(kind), "Number": t.Methods[kind]}))
	}
	all = append(all, line{locale.Say(locale.EvidencePageMethods), strings.Join(proved, ", ")})
	add(locale.EvidencePageShared, t.SharedLogins)
	add(locale.EvidencePageSignins, t.SignIns.All)
	add(locale.EvidencePagePassed, t.SignIns.Passed)
	add(locale.EvidencePageRemembered, t.SignIns.Remembered)
	add(locale.EvidencePageMobile, t.SignIns.Exempt)
	add(locale.EvidencePageBefore, t.SignIns.Before)
	add(locale.EvidencePageWithout, t.SignIns.Without)
	last := len(all) - 1
	return all[:last], all[last]
}

// moment says when something was, with its year.
func moment(at time.Time, zone *time.Location) string {
	if at.IsZero() {
		return locale.Say(locale.EvidenceUnknownTime)
	}
	return locale.Say(locale.EvidencePageMoment, locale.Data{
		"Day": locale.Day(at, zone), "Clock": locale.Clock(at, zone), "Zone": at.In(zone).Format("MST"),
	})
}

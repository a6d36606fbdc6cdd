package e2e_test

import (
	"encoding/csv"
	"encoding/json"
	"html"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/e2e/e2etest"
)

// formula is the first name of somebody whose name is a formula of a spreadsheet.
const formula = "=1+1"

// crewWithAFormula are the crew, and a second Admin whose name a spreadsheet would run.
func crewWithAFormula() []e2etest.Row {
	return append(e2etest.Crew(), e2etest.Row{Ref: "U7", First: formula, Last: "Vale", Email: "vale@bayside.example"})
}

func TestAnAdminReadsAndCopiesTheTrailOfTheirOwnSiteAlone(t *testing.T) {
	t.Parallel()
	servingPeople(t, crewWithAFormula(), func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat, sam, vale := p.Visitor(t), p.Visitor(t), p.Visitor(t)
		vale.SignIn(t, sink, "vale@bayside.example", e2etest.Password)
		sam.SignIn(t, sink, e2etest.Sam, e2etest.Password)
		p.Visitor(t).Post(t, "/signin", "email", e2etest.TwinSam, "password", "a wrong one")
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		own, foreign := siteOf(t, p, e2etest.Connected), siteOf(t, p, e2etest.Twin)

		pat.Get(t, own).Is(t, http.StatusOK, "Sam Okafor", "Why")
		absent := pat.Get(t, "/sites/01a22647-967d-7265-9a81-fcf67d79c384/settings/audit")
		if there := pat.Get(t, foreign); reference.ReplaceAllString(there.Body, "") != reference.ReplaceAllString(absent.Body, "") {
			t.Error("another site's trail looks otherwise than an absent one")
		}
		for _, page := range []e2etest.Answer{absent, pat.Get(t, foreign), pat.Post(t, foreign, "form", "csv"), sam.Get(t, own), sam.Post(t, own, "form", "jsonl")} {
			page.Is(t, http.StatusNotFound)
			if strings.Contains(page.Body, "Tyres") {
				t.Error("the page of a foreign site names it")
			}
		}
		for query, words := range map[string]string{
			"?person=sam&group=signin": "Sam Okafor", "?person=nobody": "Nothing fits", "?person=" + "tyres": "Nothing fits",
			"?person=a%00b": "Sam Okafor", "?person=%FF": "Sam Okafor", "?person=+": "Sam Okafor", "?before=2": "Newest",
		} {
			page := pat.Get(t, own+query)
			page.Is(t, http.StatusOK, words)
			if strings.Contains(page.Body, "Tyres") || strings.Contains(page.Body, e2etest.TwinSam) {
				t.Errorf("%s shows another site", query)
			}
		}
		pat.Get(t, own+"?from=2026-02-30").Is(t, http.StatusUnprocessableEntity, "2026-02-30")

		page := pat.Post(t, own, "form", "csv")
		page.Is(t, http.StatusOK)
		all, err := csv.NewReader(strings.NewReader(page.Body)).ReadAll()
		if err != nil || len(all) < 10 || page.Header.Get("Cache-Control") != "no-store" || !strings.Contains(page.Header.Get("Content-Disposition"), "audit-trail.csv") {
			t.Fatalf("%d lines, %v, %v", len(all), page.Header, err)
		}
		guarded := false
		for _, row := range all[1:] {
			for _, cell := range row {
				if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@") {
					t.Errorf("a spreadsheet runs the cell %q", cell)
				}
				guarded = guarded || strings.HasPrefix(cell, "'"+formula)
			}
		}
		if !guarded || !slices.Contains(all[1], "audit.exported") || strings.Contains(page.Body, e2etest.TwinSam) {
			t.Errorf("guarded %v; the newest line is %v", guarded, all[1])
		}

		pass(t, p, 6*time.Minute)
		had := strings.Count(p.MustRun(t, "audit", "export"), `"kind":"audit.exported"`)
		next := pat.Post(t, own, "form", "jsonl")
		next.Leads(t, "/me/prove?change=other_change&next="+strings.NewReplacer("/", "%2F", "?", "%3F", "=", "%3D").Replace(own+"?form=jsonl"))
		if n := strings.Count(p.MustRun(t, "audit", "export"), `"kind":"audit.exported"`); n != had {
			t.Error("a copy that was not made is in the trail")
		}
		pat.Get(t, own+"?form=jsonl").Is(t, http.StatusOK, "Press the button once more", `<button class="btn main" name="form" value="jsonl">`)
	})
}

// siteOf is the path of a site's trail: the newest event of somebody there names the site.
func siteOf(t *testing.T, p *e2etest.Product, ref string) string {
	t.Helper()
	for line := range strings.Lines(p.MustRun(t, "audit", "export", "--site", ref)) {
		var one struct {
			Body e2etest.Event `json:"body"`
		}
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		if one.Body.Site != "" {
			return "/sites/" + one.Body.Site + "/settings/audit"
		}
	}
	t.Fatalf("the site %s has no trail", ref)
	return ""
}

var (
	memberLink = regexp.MustCompile(`/users/[0-9a-f-]{36}`)
	wasField   = regexp.MustCompile(`name="was" value="([^"]*)"`)
	sureField  = regexp.MustCompile(`name="sure" value="([^"]*)"`)
)

// edits has Pat change Sam's login name, add a mobile, and ask for a user.
func edits(t *testing.T, pat *e2etest.Visitor, home string) {
	t.Helper()
	at := ""
	for _, link := range memberLink.FindAllString(pat.Get(t, home+"/users").Body, -1) {
		if strings.Contains(pat.Get(t, home+link).Body, `value="`+e2etest.Sam+`"`) {
			at = home + link
		}
	}
	page := pat.Get(t, at)
	for range 3 { // each time with what the page says of it
		was, sure := wasField.FindStringSubmatch(page.Body), sureField.FindStringSubmatch(page.Body)
		if page.Status == http.StatusSeeOther || was == nil || sure == nil {
			break
		}
		page = pat.Post(t, at, "was", html.UnescapeString(was[1]), "sure", html.UnescapeString(sure[1]), "person", "same",
			"email", "sam.okafor@bayside.example", "mobile", "0491 570 156", "last", "Okafor-Vale")
	}
	if page.Status != http.StatusSeeOther {
		t.Fatalf("Sam's card was not saved: %d\n%.3000s", page.Status, page.Body)
	}
	pat.Post(t, home+"/requests", "first", "Nia", "last", "Newby", "email", "nia.newby@bayside.example", "mobile", "0491 570 157",
		"group", "Mechanic", "kind", "office").Leads(t, home+"/requests?done=asked")
}

// addressLike are mail addresses, telephone numbers and networks; chromeLike are browsers.
var (
	addressLike = regexp.MustCompile(`[^\s"]+@[^\s"]+|\+\d{6,}|\b0\d{9}\b|\b\d{1,3}(?:\.\d{1,3}){3}\b`)
	chromeLike  = regexp.MustCompile(`Chrome|Mozilla|Firefox`)
)

func TestThePlainFactsOfTheTrailNameNoAddress(t *testing.T) {
	t.Parallel()
	servingPeople(t, crewWithAFormula(), func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat, sam := p.Visitor(t), p.Visitor(t)
		p.Visitor(t).Post(t, "/signin", "email", e2etest.Sam, "password", "a wrong one")
		had := len(sink.Letters(t, e2etest.Sam))
		p.Visitor(t).Post(t, "/reset", "email", e2etest.Sam).Leads(t, "/reset-sent")
		e2etest.NextLetter(t, sink, e2etest.Sam, had) // so that the next one is the code
		code := sam.Password(t, sink, e2etest.Sam, e2etest.Password)
		sam.Post(t, "/signin/code", "code", otherCode(code, 0)).Is(t, http.StatusUnprocessableEntity)
		sam.Post(t, "/signin/code", "code", code).Leads(t, "/me")
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		home := strings.TrimSuffix(siteOf(t, p, e2etest.Connected), "/audit")
		pat.Post(t, home+"/audit", "form", "csv").Is(t, http.StatusOK)
		edits(t, pat, home)
		p.MustRun(t, "audit", "checkpoint")
		p.Stop(t)

		export := filepath.Join(p.Folder, "all.jsonl")
		p.MustRun(t, "audit", "export", "--out", export)
		p.MustRun(t, "audit", "verify", export)
		personal, kinds := 0, map[string]bool{}
		for line := range strings.Lines(p.MustRun(t, "audit", "export")) {
			var one struct {
				Body struct {
					Kind  string            `json:"kind"`
					Actor map[string]string `json:"actor"`
					Facts map[string]string `json:"facts"`
				} `json:"body"`
				Personal map[string]struct{ Value string } `json:"personal"`
			}
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				t.Fatal(err)
			}
			kinds[one.Body.Kind] = true
			for name, value := range one.Body.Facts {
				for _, found := range []string{addressLike.FindString(value), chromeLike.FindString(value)} {
					if found != "" {
						t.Errorf("the fact %q of %s has %q", name, one.Body.Kind, found)
					}
				}
				for _, word := range []string{"Okafor", "Vale", "Nguyen", "Newby"} {
					if strings.Contains(value, word) {
						t.Errorf("the fact %q of %s names a person: %q", name, one.Body.Kind, value)
					}
				}
			}
			if found := addressLike.FindString(one.Body.Actor["id"]); found != "" {
				t.Errorf("the actor of %s is %q", one.Body.Kind, found)
			}
			for _, v := range one.Personal {
				if addressLike.MatchString(v.Value) {
					personal++
				}
			}
		}
		for _, kind := range []string{"password.wrong", "code.wrong", "session.started", "audit.exported", "user.renamed", "login.changed", "request.made", "reset.asked"} {
			if !kinds[kind] {
				t.Errorf("the walk made no %s, and so shows nothing of it", kind)
			}
		}
		if personal < 10 {
			t.Errorf("only %d personal values look like addresses: the search looks at nothing", personal)
		}
	})
}

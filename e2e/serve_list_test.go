package e2e_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/e2e/e2etest"
)

// aCrowd is as many members as the largest site that is known has.
const aCrowd = 2000

var (
	personCell = regexp.MustCompile(`class="person"><b>([^<]+)</b>`)
	nextPage   = regexp.MustCompile(`<a class="btn" href="([^"]+after=[^"]+)"`)
)

// The list of a site of 2,000 is read page by page over HTTP: everybody once, and nobody of
// the twin, whose people have the same names. Time and size are printed and not judged: they
// are the machine's.
func TestAListOfTwoThousandUsersIsReadPageByPage(t *testing.T) {
	t.Parallel()
	var rows []e2etest.Row
	for n := range aCrowd {
		rows = append(rows, e2etest.Row{
			Ref: fmt.Sprintf("C%04d", n), First: fmt.Sprintf("M%04d", n), Last: "Lee", Email: fmt.Sprintf("m%04d@bayside.example", n), Group: "User",
		})
	}
	for n := range 60 {
		rows = append(rows, e2etest.Row{
			Site: e2etest.Twin, Ref: fmt.Sprintf("C%04d", n), First: fmt.Sprintf("M%04d", n), Last: "Lee", Email: fmt.Sprintf("m%04d@tyres.example", n), Group: "User",
		})
	}
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		for some := range slices.Chunk(rows, 300) { // a command has its time, and the machine may be busy
			p.People(t, some)
		}
		pat := p.Visitor(t)
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		home := settingsLink.FindString(pat.Get(t, "/me").Body)
		seen := map[string]int{}
		var times []time.Duration
		largest := 0
		for at := home + "/users"; at != ""; {
			began := time.Now()
			page := pat.Get(t, at)
			times = append(times, time.Since(began))
			page.Is(t, http.StatusOK)
			largest = max(largest, len(page.Body))
			for _, found := range personCell.FindAllStringSubmatch(page.Body, -1) {
				seen[found[1]]++
			}
			if strings.Contains(page.Body, "tyres.example") {
				t.Error("the list shows somebody of the other site")
			}
			at = ""
			if next := nextPage.FindStringSubmatch(page.Body); next != nil {
				at = strings.ReplaceAll(next[1], "&amp;", "&")
			}
			if len(times) > aCrowd {
				t.Fatal("the list has no end")
			}
		}
		const crew = 6 // of Bayside Auto
		if len(seen) != aCrowd+crew {
			t.Errorf("%d people were listed, not %d", len(seen), aCrowd+crew)
		}
		for name, times := range seen {
			if times != 1 {
				t.Errorf("%s is listed %d times", name, times)
			}
		}
		slices.Sort(times)
		t.Logf("%d users in %d pages over HTTP: median %s, slowest %s, the largest %d bytes of HTML",
			len(seen), len(times), times[len(times)/2].Round(time.Millisecond), times[len(times)-1].Round(time.Millisecond), largest)
		for what, query := range map[string]string{"a search": "?find=m19", "who needs help": "?show=help", "a group": "?group=User"} {
			began := time.Now()
			page := pat.Get(t, home+"/users"+query)
			page.Is(t, http.StatusOK)
			t.Logf("%s: %s, %d bytes", what, time.Since(began).Round(time.Millisecond), len(page.Body))
		}
	})
}

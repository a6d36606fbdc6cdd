package e2e_test

import (
	"net/http"
	"regexp"
	"testing"

	"keyturn/e2e/e2etest"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
)

// serving runs a test on each engine, with a product of its own that serves the crew and
// sends its mail to a sink.
func serving(t *testing.T, test func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink)) {
	t.Helper()
	servingPeople(t, e2etest.Crew(), test)
}

// servingPeople is serving with other people.
func servingPeople(t *testing.T, rows []e2etest.Row, test func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		p, sink := installedWith(t, url, rows)
		p.Start(t)
		test(t, p, sink)
	})
}

// installed is a product with the crew in its database and a sink for its mail. It does
// not run yet.
func installed(t *testing.T, url string) (*e2etest.Product, *e2etest.Sink) {
	t.Helper()
	return installedWith(t, url, e2etest.Crew())
}

func installedWith(t *testing.T, url string, rows []e2etest.Row) (*e2etest.Product, *e2etest.Sink) {
	t.Helper()
	p, sink := e2etest.NewProduct(t, url), e2etest.StartSink(t)
	p.Set("KEYTURN_SMTP_URL", sink.URL)
	p.People(t, rows)
	return p, sink
}

// onEmpty runs a test on an empty database of each engine.
func onEmpty(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	for _, engine := range []db.Engine{db.SQLite, db.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			test(t, dbtest.Empty(t, engine))
		})
	}
}

// in says whether a visitor has a session that opens a person's own page.
func in(t *testing.T, v *e2etest.Visitor) bool {
	t.Helper()
	return v.Get(t, "/me").Status == http.StatusOK
}

// otherCode is six digits that are not the code.
func otherCode(code string, n int) string {
	last := code[5] - '0'
	return code[:5] + string('0'+(last+1+byte(n)%9)%10)
}

var reference = regexp.MustCompile(`[A-Z2-7]{4}-[A-Z2-7]{4}`)

// hasReference says whether a page has the reference that is in the log line too.
func hasReference(page e2etest.Answer, p *e2etest.Product) bool {
	found := reference.FindString(page.Body)
	return found != "" && regexp.MustCompile(`reference=`+found).MatchString(p.Log())
}

package client_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/apikey"
	"keyturn/internal/audit"
	"keyturn/internal/client"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
	"keyturn/internal/site"
)

var command = audit.Actor{Kind: audit.ActorCommand, ID: "test"}

// product is the order of a web product at one site, or at all.
func product(name string, at ...id.Site) client.Order {
	return client.Order{
		Name: name, Kind: client.Web, Redirects: []string{"https://app.example/signed-in"},
		PostLogouts: []string{"https://app.example/"}, BackChannel: "https://app.example/logout",
		All: len(at) == 0, Sites: at,
	}
}

func sites(t *testing.T, d *db.DB) (here, twin site.Site) {
	t.Helper()
	if err := d.Do(t.Context(), func(tx *db.Tx) (err error) {
		if here, err = site.Add(t.Context(), tx, site.Site{Ref: "S1", Name: "Bayside", Region: "AU", Zone: time.UTC}); err != nil {
			return err
		}
		twin, err = site.Add(t.Context(), tx, site.Site{Ref: "S2", Name: "Bayside", Region: "AU", Zone: time.UTC})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return here, twin
}

func try(t *testing.T, d *db.DB, o client.Order) (c client.Client, text secret.Text, err error) {
	t.Helper()
	err = d.Do(t.Context(), func(tx *db.Tx) (err error) {
		c, text, err = client.Make(t.Context(), tx, command, o)
		return err
	})
	return c, text, err
}

func made(t *testing.T, d *db.DB, o client.Order) (client.Client, string) {
	t.Helper()
	c, text, err := try(t, d, o)
	if err != nil {
		t.Fatal(err)
	}
	return c, text.Reveal()
}

func events(t *testing.T, d *db.DB, chain string, kind audit.Kind) int {
	t.Helper()
	n, err := db.One(t.Context(), d, func(r db.Row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM audit_events WHERE site_id = $1 AND kind = $2`, chain, string(kind))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// opens says whether a secret is the client's now.
func opens(t *testing.T, d *db.DB, which id.Client, text string) bool {
	t.Helper()
	c, ok, err := client.Authenticate(t.Context(), d, which, text, d.Clock.Now())
	if err != nil || ok != (c.ID == which) {
		t.Fatalf("%t, %+v, %v", ok, c, err)
	}
	return ok
}

func TestAClientIsFoundAsItWasMadeAndKnownByItsWholeSecretAlone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		here, twin := sites(t, d)
		o := product("web", here.ID, here.ID)
		o.Origins = []string{"https://old.example", "http://127.0.0.1:8088"}
		c, text := made(t, d, o)
		other, others := made(t, d, product("other"))
		if !strings.HasPrefix(text, "ktc_") || len(text) != 47 {
			t.Errorf("a secret has %d characters", len(text))
		}
		got, err := client.Living(t.Context(), d, c.ID)
		if err != nil || got.Name != "web" || got.Kind != client.Web || got.BackChannel != o.BackChannel || len(got.Origins) != 2 ||
			!got.Redirect(o.Redirects[0]) || !got.PostLogout(o.PostLogouts[0]) || got.PostLogout(o.Redirects[0]) || got.All {
			t.Errorf("%+v, %v", got, err)
		}
		for _, wrong := range []string{"https://app.example/signed-in/", "https://app.example/signed-in?", "https://APP.example/signed-in", "https://app.example/", ""} {
			if got.Redirect(wrong) {
				t.Errorf("%q is taken for the registered one", wrong)
			}
		}
		if !opens(t, d, c.ID, text) || !opens(t, d, other.ID, others) {
			t.Error("its own secret does not open it")
		}
		for name, wrong := range map[string]string{
			"nothing": "", "its prefix": "ktc_", "cut": text[:46], "longer": text + "A", "another's": others, "its id": string(c.ID),
		} {
			if opens(t, d, c.ID, wrong) {
				t.Errorf("%s opens it", name)
			}
		}
		if opens(t, d, "no such client", text) {
			t.Error("a client that is not was opened")
		}
		for at, want := range map[id.Site]bool{here.ID: true, twin.ID: false, "": false} {
			if yes, err := client.Reaches(t.Context(), d, got, at); yes != want || err != nil {
				t.Errorf("reaches %q: %v, %v", at, yes, err)
			}
		}
		if by, err := client.ByOrigin(t.Context(), d, "https://old.example"); err != nil || by.ID != c.ID {
			t.Errorf("by its origin: %+v, %v", by, err)
		}
		if h, w := events(t, d, string(here.ID), audit.ClientMade), events(t, d, string(twin.ID), audit.ClientMade); h != 1 || w != 0 {
			t.Errorf("%d events here, %d at the twin", h, w)
		}
	})
}

func TestADisabledClientIsDeadAtOnceAndGivesItsNameAndOriginsBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		here, _ := sites(t, d)
		o := product("web", here.ID)
		o.Origins = []string{"https://old.example"}
		c, text := made(t, d, o)
		if _, _, err := try(t, d, o); !errors.Is(err, fault.Conflict) {
			t.Errorf("a second one of the name: %v", err)
		}
		second := o
		second.Name = "second"
		if _, _, err := try(t, d, second); !errors.Is(err, fault.Conflict) {
			t.Errorf("a second one at the origin: %v", err)
		}
		end := func() error {
			return d.Do(t.Context(), func(tx *db.Tx) error {
				_, err := client.Disable(t.Context(), tx, command, "web")
				return err
			})
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Living(t.Context(), d, c.ID); !errors.Is(err, fault.NotFound) || opens(t, d, c.ID, text) {
			t.Errorf("a disabled client: %v", err)
		}
		if gone, err := client.ByID(t.Context(), d, c.ID); err != nil || !gone.Disabled() {
			t.Errorf("for the trail: %+v, %v", gone, err)
		}
		if _, err := client.ByOrigin(t.Context(), d, "https://old.example"); !errors.Is(err, fault.NotFound) {
			t.Errorf("by its origin: %v", err)
		}
		if err := end(); !errors.Is(err, fault.NotFound) {
			t.Errorf("disabled twice: %v", err)
		}
		if _, _, err := try(t, d, o); err != nil {
			t.Errorf("the name and the origin again: %v", err)
		}
		all, err := client.List(t.Context(), d)
		if err != nil || len(all) != 2 || !all[0].Disabled() || all[1].Disabled() || len(all[1].Origins) != 1 {
			t.Errorf("%+v, %v", all, err)
		}
		if n := events(t, d, string(here.ID), audit.ClientDisabled); n != 1 {
			t.Errorf("%d events of the end", n)
		}
	})
}

func TestTheSecretBeforeWorksForADayOrEndsAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		c, first := made(t, d, product("web"))
		rotate := func(atOnce bool) string {
			var text secret.Text
			if err := d.Do(t.Context(), func(tx *db.Tx) (err error) {
				_, text, err = client.Rotate(t.Context(), tx, command, "web", atOnce)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return text.Reveal()
		}
		second := rotate(false)
		if !opens(t, d, c.ID, first) || !opens(t, d, c.ID, second) {
			t.Error("both should work for a day")
		}
		third := rotate(false)
		if opens(t, d, c.ID, first) || !opens(t, d, c.ID, second) || !opens(t, d, c.ID, third) {
			t.Error("the one before the last has not ended, or another has")
		}
		d.Clock.Advance(client.FormerFor)
		if opens(t, d, c.ID, second) || !opens(t, d, c.ID, third) {
			t.Error("a day later the old one works, or the new one does not")
		}
		if fourth := rotate(true); opens(t, d, c.ID, third) || !opens(t, d, c.ID, fourth) {
			t.Error("at once was not at once")
		}
		_, none := made(t, d, client.Order{Name: "app", Kind: client.Mobile, Redirects: []string{"com.example.app:/cb"}, Audiences: []string{"jobs"}, All: true})
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			_, _, err := client.Rotate(t.Context(), tx, command, "app", false)
			return err
		})
		if none != "" || !errors.Is(err, fault.Invalid) {
			t.Errorf("a mobile client has the secret %q, %v", none, err)
		}
	})
}

func TestAClientIsRefusedThatCouldDoTooMuchOrNothing(t *testing.T) {
	t.Parallel()
	base := map[client.Kind]client.Order{
		client.Web:     product("x"),
		client.Mobile:  {Name: "x", Kind: client.Mobile, Redirects: []string{"com.example.app:/cb"}, Audiences: []string{"jobs"}, All: true},
		client.Service: {Name: "x", Kind: client.Service, Scopes: []apikey.Scope{apikey.ReadReadiness}, All: true},
	}
	for name, row := range map[string]struct {
		kind client.Kind
		but  func(*client.Order)
	}{
		"without a name":                       {client.Web, func(o *client.Order) { o.Name = " " }},
		"a name of two lines":                  {client.Web, func(o *client.Order) { o.Name = "a\nb" }},
		"of no kind":                           {client.Web, func(o *client.Order) { o.Kind = "spa" }},
		"for nothing":                          {client.Web, func(o *client.Order) { o.All = false }},
		"for all and for some":                 {client.Web, func(o *client.Order) { o.Sites = []id.Site{"s"} }},
		"a web client without an address":      {client.Web, func(o *client.Order) { o.Redirects = nil }},
		"a web client with scopes":             {client.Web, func(o *client.Order) { o.Scopes = apikey.Scopes() }},
		"a web client with audiences":          {client.Web, func(o *client.Order) { o.Audiences = []string{"jobs"} }},
		"a web client with an app's scheme":    {client.Web, func(o *client.Order) { o.Redirects = []string{"com.example.app:/cb"} }},
		"too many addresses":                   {client.Web, func(o *client.Order) { o.Redirects = slices.Repeat(o.Redirects, 21) }},
		"a back channel in the clear":          {client.Web, func(o *client.Order) { o.BackChannel = "http://app.example/logout" }},
		"an origin with a path":                {client.Web, func(o *client.Order) { o.Origins = []string{"https://old.example/"} }},
		"an origin in the clear":               {client.Web, func(o *client.Order) { o.Origins = []string{"http://old.example"} }},
		"an origin with its usual port":        {client.Web, func(o *client.Order) { o.Origins = []string{"https://old.example:443"} }},
		"an origin in capitals":                {client.Web, func(o *client.Order) { o.Origins = []string{"https://OLD.example"} }},
		"a mobile client without an audience":  {client.Mobile, func(o *client.Order) { o.Audiences = nil }},
		"a mobile client on plain http":        {client.Mobile, func(o *client.Order) { o.Redirects = []string{"http://127.0.0.1/cb"} }},
		"a scheme without a dot":               {client.Mobile, func(o *client.Order) { o.Redirects = []string{"workshop:/cb"} }},
		"an audience of two words":             {client.Mobile, func(o *client.Order) { o.Audiences = []string{"jobs api"} }},
		"a mobile client with an origin":       {client.Mobile, func(o *client.Order) { o.Origins = []string{"https://old.example"} }},
		"a service with an address":            {client.Service, func(o *client.Order) { o.Redirects = []string{"https://a.example/cb"} }},
		"a service that may nothing":           {client.Service, func(o *client.Order) { o.Scopes = nil }},
		"a service with a scope that is not":   {client.Service, func(o *client.Order) { o.Scopes = []apikey.Scope{"everything"} }},
		"a service with tokens of every site":  {client.Service, func(o *client.Order) { o.Scopes = []apikey.Scope{apikey.XeroToken} }},
		"a service with 501 sites of its own":  {client.Service, func(o *client.Order) { o.All, o.Sites = false, make([]id.Site, 501) }},
		"a mobile client with a back channel":  {client.Mobile, func(o *client.Order) { o.BackChannel = "https://a.example/x" }},
		"a mobile client with scopes":          {client.Mobile, func(o *client.Order) { o.Scopes = apikey.Scopes() }},
		"a post-logout address in the clear":   {client.Web, func(o *client.Order) { o.PostLogouts = []string{"http://app.example/"} }},
		"a service without a kind of its own":  {client.Service, func(o *client.Order) { o.Kind = "" }},
		"a name of a hundred and one letters":  {client.Web, func(o *client.Order) { o.Name = strings.Repeat("n", 101) }},
		"an audience that begins with a slash": {client.Mobile, func(o *client.Order) { o.Audiences = []string{"/jobs"} }},
	} {
		o := base[row.kind]
		row.but(&o)
		// Nothing is asked of the database: a transaction is not needed to say no.
		if _, _, err := client.Make(t.Context(), &db.Tx{}, command, o); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// addresses that look right to one reader and lead elsewhere in another.
var hostile = []string{
	"", " ", "/cb", "//app.example/cb", "app.example/cb", "https:app.example/cb", "https:/app.example/cb", "https:///cb", "https://",
	"http://app.example/cb", "https://app.example/cb#x", "https://app.example/cb#", "https://user@app.example/cb", "https://user:pass@app.example/cb",
	"https://app.example@evil.example/cb", `https://app.example\@evil.example/cb`, `https://app.example\cb`, "https://app.example/a/../cb",
	"https://app.example/a/%2e%2e/cb", "https://app.example/./cb", "https://app.example:/cb", "https://app.example:port/cb", "https://*.example/cb",
	"https://app.example/*<", "HTTPS://app.example/cb", "https://APP.example/cb", "https://app.exämple/cb", "https://app.example/cb\n", "https://app.example/c b",
	"javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://app.example/cb", "https://127.1/cb#", "https://-app.example/cb", "https://app..example/cb",
	"http://localhost.evil.example/cb", "http://127.0.0.1.evil.example/cb", "http://[::2]/cb", "http://0.0.0.0/cb", "http://localhost@evil.example/", "https://[::1%25eth0]/cb",
}

func TestAHostileAddressIsNotRegistered(t *testing.T) {
	t.Parallel()
	for _, uri := range hostile {
		for _, o := range []client.Order{
			{Name: "x", Kind: client.Web, Redirects: []string{uri}, All: true},
			{Name: "x", Kind: client.Web, Redirects: []string{"https://app.example/"}, PostLogouts: []string{uri}, All: true},
			{Name: "x", Kind: client.Mobile, Redirects: []string{uri}, Audiences: []string{"jobs"}, All: true},
			{Name: "x", Kind: client.Web, Origins: []string{uri}, All: true},
		} {
			if _, _, err := client.Make(t.Context(), &db.Tx{}, command, o); !errors.Is(err, fault.Invalid) {
				t.Errorf("%q as an address of %+v: %v", uri, o, err)
			}
		}
	}
}

func TestTheAddressesThatThereAreAreRegistered(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		made(t, d, client.Order{Name: "web", Kind: client.Web, All: true, Redirects: []string{
			"https://app.example/cb", "https://app.example:8443/a/b?c=d&e=f", "http://127.0.0.1:3000/cb", "http://[::1]:3000/cb", "http://localhost/cb", "https://app.example",
		}})
		made(t, d, client.Order{Name: "app", Kind: client.Mobile, All: true, Audiences: []string{"jobs", "https://api.example/v1"}, Redirects: []string{
			"com.example.app:/cb", "com.example.app://signed-in", "https://app.example/claimed",
		}})
		_, text := made(t, d, client.Order{Name: "jobs", Kind: client.Service, All: true, Audiences: []string{"jobs"}})
		if text == "" {
			t.Error("a service has no secret")
		}
	})
}

// FuzzAddress registers any text as an address: what is taken is read by every reader as it
// stands.
func FuzzAddress(f *testing.F) {
	for _, uri := range append([]string{"https://app.example/cb", "com.example.app:/cb", "http://[::1]:80/x?y=z"}, hostile...) {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		for _, kind := range []client.Kind{client.Web, client.Mobile} {
			if !client.RedirectFits(kind, uri) {
				continue
			}
			u, err := url.Parse(uri)
			if err != nil || u.String() != uri || u.User != nil || u.Fragment != "" || strings.ContainsAny(uri, "\\\"'<>#* \t\r\n") {
				t.Errorf("%q is taken for %s", uri, kind)
			}
			if (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() == "" {
				t.Errorf("%q has no host", uri)
			}
		}
	})
}

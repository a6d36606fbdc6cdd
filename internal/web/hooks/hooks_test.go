package hooks_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/delivery"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/mail"
	"keyturn/internal/message"
	"keyturn/internal/secret"
	"keyturn/internal/web"
	"keyturn/internal/web/hooks"
	"keyturn/internal/web/webtest"
)

const key = "plain-key-of-24-characters"

// post records what it is told, and answers with err.
type post struct {
	mu      sync.Mutex
	news    []message.News
	bounces []message.Bounce
	err     error
}

func (p *post) Moved(_ context.Context, n message.News) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.news = append(p.news, n)
	return p.err
}

func (p *post) Bounced(_ context.Context, b message.Bounce) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bounces = append(p.bounces, b)
	return p.err
}

// texts knows one provider with one secret, and reads "token=state" lines.
type texts struct{}

func (texts) Receipt(r *http.Request, provider, rest string, body []byte) (all []message.News, err error) {
	if provider != "twilio" || rest != "the/secret" || r.Method != http.MethodPost {
		return nil, fmt.Errorf("a foreign receipt: %w", fault.NotFound)
	}
	if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return nil, fmt.Errorf("a receipt: %w", fault.Invalid)
	}
	for one := range strings.SplitSeq(string(body), "&") {
		token, state, _ := strings.Cut(one, "=")
		all = append(all, message.News{Carrier: provider, Token: token, State: message.NewsState(state)})
	}
	return all, nil
}

type world struct {
	t       *testing.T
	db      *db.DB
	kit     *web.Kit
	post    *post
	hooks   *hooks.Hooks
	handler http.Handler
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, db: d, kit: webtest.New(t), post: &post{}}
	w.hooks = &hooks.Hooks{Kit: w.kit, DB: d, Post: w.post, MailKey: secret.NewText(key), Texts: texts{}}
	mux := http.NewServeMux()
	mux.Handle("POST /hooks/mail", w.hooks.Mail())
	mux.Handle("POST /hooks/sms/{provider}", w.hooks.SMS())
	mux.Handle("POST /hooks/sms/{provider}/{rest...}", w.hooks.SMS())
	mux.Handle("/", w.kit.Lost())
	w.handler = w.kit.Wrap(mux)
	return w
}

func each(t *testing.T, test func(w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(newWorld(t, d)) })
}

type header map[string]string

// call sends a body and gives the status and the answer's body.
func (w *world) call(path, body string, headers ...header) (int, string) {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, path, strings.NewReader(body))
	for _, h := range headers {
		for name, value := range h {
			r.Header.Set(name, value)
		}
	}
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	return out.Code, out.Body.String()
}

func (w *world) signed(body string) header {
	stamp := strconv.FormatInt(w.db.Clock.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte("msg_1." + stamp + "." + body))
	return header{
		"Webhook-Id": "msg_1", "Webhook-Timestamp": stamp,
		"Webhook-Signature": "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	}
}

func (w *world) mail(body string, more ...header) (int, string) {
	w.t.Helper()
	return w.call("/hooks/mail", body, append([]header{w.signed(body)}, more...)...)
}

const bounced = `{"event":"bounced","key":"0192-abc","to":"sam@bayside.example","status":"5.1.1","said":"no such user"}`

var form = header{"Content-Type": "application/x-www-form-urlencoded"}

func TestABounceIsToldOnAndAnsweredWithNothing(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		if status, body := w.mail(bounced); status != http.StatusNoContent || body != "" {
			w.t.Errorf("%d %s", status, body)
		}
		want := message.Bounce{Key: "0192-abc", To: "sam@bayside.example", Status: "5.1.1", Said: "no such user", Permanent: true}
		if len(w.post.bounces) != 1 || w.post.bounces[0] != want {
			w.t.Errorf("told %+v", w.post.bounces)
		}
	})
}

func TestANotificationIsReadAsMail(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		text := "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\n" +
			"Final-Recipient: rfc822; sam@bayside.example\nAction: failed\nStatus: 5.2.2\n\n" +
			"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <0192-abc@signin.example>\n\n--b--\n"
		rfc822 := header{"Content-Type": "message/rfc822"}
		if status, body := w.mail(text, rfc822); status != http.StatusNoContent {
			w.t.Errorf("%d %s", status, body)
		}
		if len(w.post.bounces) != 1 || w.post.bounces[0].Status != "5.2.2" {
			w.t.Errorf("told %+v", w.post.bounces)
		}
		if status, body := w.mail("hello", rfc822); status != http.StatusBadRequest || !strings.Contains(body, "about:blank") {
			w.t.Errorf("%d %s", status, body)
		}
	})
}

func TestACanaryThatArrivesIsMeasured(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ctx := w.t.Context()
		var which id.Canary
		err := w.db.Do(ctx, func(tx *db.Tx) (err error) {
			which, err = delivery.Launch(ctx, tx, "relay.example:587")
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
		w.db.Clock.Advance(3 * time.Minute)
		for range 2 { // a hook may come twice
			if status, body := w.mail(`{"event":"arrived","message_id":"<` + string(which) + `@signin.example>"}`); status != http.StatusNoContent {
				w.t.Errorf("%d %s", status, body)
			}
		}
		watch := &delivery.Watch{DB: w.db}
		if err := watch.Refresh(ctx); err != nil {
			w.t.Fatal(err)
		}
		if about := watch.Now().Carriers["relay.example:587"].About; about.Round(time.Second) != 3*time.Minute {
			w.t.Errorf("it took %v", about)
		}
		if status, _ := w.mail(`{"event":"arrived","key":"no-canary"}`); status != http.StatusNoContent {
			w.t.Errorf("of an unknown one: %d", status)
		}
	})
}

func TestWhatChangesNothingIsUnderstood(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for _, event := range []string{"complained", "delivered"} {
			if status, body := w.mail(`{"event":"` + event + `","key":"0192-abc"}`); status != http.StatusNoContent {
				w.t.Errorf("%s: %d %s", event, status, body)
			}
		}
		if len(w.post.bounces)+len(w.post.news) != 0 {
			w.t.Errorf("told %+v", w.post)
		}
	})
}

func TestReceiptsAreToldOnInTheirOrder(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		status, body := w.call("/hooks/sms/twilio/the/secret", "t1=accepted&t2=delivered", form)
		if status != http.StatusNoContent || body != "" {
			w.t.Errorf("%d %s", status, body)
		}
		if len(w.post.news) != 2 || w.post.news[0].Token != "t1" || w.post.news[1].State != message.NewsDelivered {
			w.t.Errorf("told %+v", w.post.news)
		}
	})
}

// plain is an answer without the reference, which is another one each time.
func plain(body string) string {
	before, after, _ := strings.Cut(body, `"reference":"`)
	return before + after[min(len(after), len("ABCD-EFGH")):]
}

func TestForeignAndAbsentLookAlike(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	w := newWorld(t, d)
	bare := newWorld(t, d)
	bare.hooks.MailKey, bare.hooks.Texts = secret.Text{}, nil
	asksJSON := header{"Accept": "application/json"}
	status, absent := w.call("/hooks/nowhere", bounced, asksJSON)
	if status != http.StatusNotFound {
		t.Fatal(status, absent)
	}
	old := w.signed(bounced)
	wrong := w.signed(bounced + " ")
	d.Clock.Advance(6 * time.Minute)
	for name, c := range map[string]struct {
		at      *world
		path    string
		headers header
	}{
		"no signature":        {w, "/hooks/mail", nil},
		"a wrong signature":   {w, "/hooks/mail", wrong},
		"an old signature":    {w, "/hooks/mail", old},
		"mail not set up":     {bare, "/hooks/mail", w.signed(bounced)},
		"an unknown provider": {w, "/hooks/sms/other/the/secret", form},
		"no secret":           {w, "/hooks/sms/twilio", form},
		"an empty secret":     {w, "/hooks/sms/twilio/", form},
		"a wrong secret":      {w, "/hooks/sms/twilio/the/secre", form},
		"SMS not set up":      {bare, "/hooks/sms/twilio/the/secret", form},
		"no provider":         {w, "/hooks/sms/", asksJSON},
	} {
		status, body := c.at.call(c.path, bounced, c.headers)
		if status != http.StatusNotFound || plain(body) != plain(absent) {
			t.Errorf("%s: %d %s, and where nothing is %s", name, status, body, absent)
		}
	}
	if len(w.post.bounces)+len(w.post.news)+len(bare.post.bounces)+len(bare.post.news) != 0 {
		t.Errorf("told %+v and %+v", w.post, bare.post)
	}
}

func TestWhatIsTooLargeIsRefusedWhateverIsSetUp(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	w := newWorld(t, d)
	bare := newWorld(t, d)
	bare.hooks.MailKey, bare.hooks.Texts = secret.Text{}, nil
	for path, most := range map[string]int{"/hooks/mail": mail.MaxReport, "/hooks/sms/twilio/the/secret": 64 << 10} {
		for _, at := range []*world{w, bare} {
			if status, body := at.call(path, strings.Repeat("x", most+1), form); status != http.StatusRequestEntityTooLarge || body != "" {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
	}
	exact := bounced + strings.Repeat(" ", mail.MaxReport-len(bounced))
	if status, body := w.mail(exact); status != http.StatusNoContent {
		t.Errorf("one that just fits: %d %s", status, body)
	}
}

func TestWhatCannotBeReadIsAProblemThatRepeatsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for path, call := range map[string]func() (int, string){
			"mail": func() (int, string) { return w.mail(`{"event":"hunter2x"}`, header{"Accept": "text/html"}) },
			"sms": func() (int, string) {
				return w.call("/hooks/sms/twilio/the/secret", "hunter2x", header{"Accept": "text/html"})
			},
		} {
			status, body := call()
			if status != http.StatusBadRequest || !strings.Contains(body, `"status":400`) || strings.Contains(body, "hunter2x") {
				w.t.Errorf("%s: %d %s", path, status, body)
			}
		}
	})
}

func TestWhatWeDoNotKnowIsDoneAndWhatWeCannotStoreIsToBeToldAgain(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for _, c := range []struct {
			err  error
			want int
		}{
			{fmt.Errorf("find a message: %w", fault.NotFound), http.StatusNoContent},
			{&fault.Wait{For: time.Second, Err: errors.New("locked")}, http.StatusServiceUnavailable},
			{errors.New("broken"), http.StatusInternalServerError},
		} {
			w.post.err = c.err
			if status, body := w.mail(bounced); status != c.want {
				w.t.Errorf("mail, %v: %d %s", c.err, status, body)
			}
			if status, body := w.call("/hooks/sms/twilio/the/secret", "t1=delivered", form); status != c.want {
				w.t.Errorf("sms, %v: %d %s", c.err, status, body)
			}
		}
	})
}

func TestABrowserThatAnotherSiteSendsIsRefusedAndAProgramIsNot(t *testing.T) {
	t.Parallel()
	d := dbtest.Open(t, dbtest.Fresh(t, db.SQLite))
	w := newWorld(t, d)
	for _, h := range []header{{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}} {
		if status, _ := w.mail(bounced, h); status != http.StatusForbidden {
			t.Errorf("%v: %d", h, status)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodHead} {
		r := httptest.NewRequestWithContext(t.Context(), method, "/hooks/mail", strings.NewReader(bounced))
		for name, value := range w.signed(bounced) {
			r.Header.Set(name, value)
		}
		out := httptest.NewRecorder()
		w.handler.ServeHTTP(out, r)
		if out.Code != http.StatusNotFound {
			t.Errorf("%s: %d", method, out.Code)
		}
	}
	if len(w.post.bounces) != 0 {
		t.Errorf("told %+v", w.post.bounces)
	}
	if status, _ := w.mail(bounced); status != http.StatusNoContent {
		t.Errorf("a program: %d", status)
	}
}

package mail

import (
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"keyturn/internal/fault"
)

func TestALetterHasTheHeadersItShouldAndNoOthers(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 10, 2, 3, 0, time.FixedZone("Sydney", 11*3600))
	l := Letter{
		Key: "0192-abc", From: sender, FromName: `Zoë "Bayside" (Auto)`, To: "sam@bayside.example",
		ReplyTo: "help@vendor.example", Subject: "482 913 is your Bäyside code", Auto: true,
		Text: "Your code is 482 913.\n.\n=3D — ümlaut\n", HTML: "<p>Your code is <b>482 913</b></p>\n",
	}
	m := parsed(t, string(packed(t, l, at).content))
	want := map[string]string{
		"Message-Id": "<0192-abc@keyturn.example>", "Date": "Sun, 22 Nov 2026 23:02:03 +0000",
		"To": "<sam@bayside.example>", "Reply-To": "<help@vendor.example>",
		"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Mime-Version": "1.0",
	}
	for name, value := range want {
		if got := m.Header.Get(name); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
	for name, values := range m.Header {
		if len(values) != 1 || (want[name] == "" && !slices.Contains([]string{"From", "Subject", "Content-Type"}, name)) {
			t.Errorf("unexpected header %s: %q", name, values)
		}
	}
	if got := decoded(t, m.Header.Get("Subject")); got != l.Subject {
		t.Errorf("subject: got %q", got)
	}
	from, err := m.Header.AddressList("From")
	if err != nil || len(from) != 1 || from[0].Name != l.FromName || from[0].Address != sender {
		t.Errorf("from: got %v, %v", from, err)
	}
	if text, html := bodies(t, m); text != l.Text || html != l.HTML {
		t.Errorf("bodies: got %q and %q", text, html)
	}
}

func TestALetterWithoutHTMLIsPlainText(t *testing.T) {
	t.Parallel()
	m := parsed(t, string(packed(t, letter("k1"), time.Now()).content))
	kind, _, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "text/plain" || m.Header.Get("Auto-Submitted") != "" {
		t.Errorf("got %v, %v", m.Header, err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || strings.ReplaceAll(string(body), "\r\n", "\n") != letter("").Text {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestWordsThatLookEncodedAreShownAsTheyAre(t *testing.T) {
	t.Parallel()
	l := letter("k1")
	l.Subject, l.FromName = "code of =?utf-8?q?evil?=", "=?utf-8?b?ZXZpbA==?="
	m := parsed(t, string(packed(t, l, time.Now()).content))
	if got := decoded(t, m.Header.Get("Subject")); got != "code of = ?utf-8?q?evil?=" {
		t.Errorf("subject: %q", got)
	}
	if got := decoded(t, m.Header.Get("From")); strings.Contains(got, "evil") {
		t.Errorf("from: %q", got)
	}
}

func TestTheSameKeyMakesTheSameMessageID(t *testing.T) {
	t.Parallel()
	one := parsed(t, string(packed(t, letter("k1"), time.Unix(1, 0)).content)).Header.Get("Message-Id")
	two := parsed(t, string(packed(t, letter("k1"), time.Unix(9999, 0)).content)).Header.Get("Message-Id")
	if one != two || one != "<k1@keyturn.example>" {
		t.Errorf("got %s and %s", one, two)
	}
}

func TestLettersThatCannotBeSentAsTheyAre(t *testing.T) {
	t.Parallel()
	const planted = "evil.example"
	cases := map[string]struct {
		spoil func(*Letter)
		says  string
	}{
		"no key":                          {func(l *Letter) { l.Key = "" }, "key"},
		"a key with a bracket":            {func(l *Letter) { l.Key = "a>b" }, "key"},
		"a key with a line end":           {func(l *Letter) { l.Key = "a\r\nBcc: x@" + planted }, "key"},
		"a key that is too long":          {func(l *Letter) { l.Key = strings.Repeat("a", 101) }, "key"},
		"a key with two dots":             {func(l *Letter) { l.Key = "a..b" }, "key"},
		"another sender":                  {func(l *Letter) { l.From = "boss@" + planted }, "configured sender"},
		"a sender with a line end":        {func(l *Letter) { l.From = sender + "\r\nBcc: x@" + planted }, "configured sender"},
		"a name with a line end":          {func(l *Letter) { l.FromName = "Bayside\r\nBcc: x@" + planted }, "name"},
		"a name with a Unicode line end":  {func(l *Letter) { l.FromName = "Bayside\u2028Bcc: x@" + planted }, "name"},
		"a name with broken UTF-8":        {func(l *Letter) { l.FromName = "\xff" }, "name"},
		"a subject with a line end":       {func(l *Letter) { l.Subject = "Hi\nBcc: x@" + planted }, "subject"},
		"a subject with a bare CR":        {func(l *Letter) { l.Subject = "Hi\rBcc: x@" + planted }, "subject"},
		"a subject with a NUL":            {func(l *Letter) { l.Subject = "Hi\x00" }, "subject"},
		"a subject with a C1 control":     {func(l *Letter) { l.Subject = "Hi\u0085Bcc: x" }, "subject"},
		"a subject that is too long":      {func(l *Letter) { l.Subject = strings.Repeat("a", 401) }, "subject"},
		"no subject":                      {func(l *Letter) { l.Subject = "" }, "subject"},
		"no text":                         {func(l *Letter) { l.Text = "" }, "plain text"},
		"a text with a NUL":               {func(l *Letter) { l.Text = "a\x00" }, "body"},
		"a text with a bare CR":           {func(l *Letter) { l.Text = "a\r.\r\nMAIL FROM:<x@" + planted + ">" }, "body"},
		"HTML with an escape character":   {func(l *Letter) { l.HTML = "\x1b[2J" }, "body"},
		"a body beyond measure":           {func(l *Letter) { l.Text = strings.Repeat("a", 1<<20+1) }, "body"},
		"nobody to send to":               {func(l *Letter) { l.To = "" }, "one bare address"},
		"two recipients":                  {func(l *Letter) { l.To = "sam@a.example,x@" + planted }, "one bare address"},
		"a recipient with a name":         {func(l *Letter) { l.To = "Sam <x@" + planted + ">" }, "one bare address"},
		"a recipient in brackets":         {func(l *Letter) { l.To = "<x@" + planted + ">" }, "one bare address"},
		"a recipient with a comment":      {func(l *Letter) { l.To = "x@" + planted + "(c)" }, "one bare address"},
		"a quoted recipient":              {func(l *Letter) { l.To = `"a b"@` + planted }, "one bare address"},
		"a recipient with a parameter":    {func(l *Letter) { l.To = "x@" + planted + "> SIZE=1" }, "one bare address"},
		"a recipient with a line end":     {func(l *Letter) { l.To = "x@" + planted + "\r\nDATA" }, "control characters"},
		"a recipient at a number":         {func(l *Letter) { l.To = "x@[127.0.0.1]" }, "must"},
		"a recipient at no domain":        {func(l *Letter) { l.To = "x@" }, "one bare address"},
		"a recipient that is a route":     {func(l *Letter) { l.To = "@" + planted + ":x@y" }, "one bare address"},
		"a local part that is too long":   {func(l *Letter) { l.To = strings.Repeat("a", 65) + "@a.example" }, "too long"},
		"a domain that is too long":       {func(l *Letter) { l.To = "x@" + strings.Repeat("abcdefgh.", 30) + "example" }, "too long"},
		"two addresses to reply to":       {func(l *Letter) { l.ReplyTo = "a@a.example, x@" + planted }, "reply"},
		"a reply address with a line end": {func(l *Letter) { l.ReplyTo = "a@a.example\nBcc: x@" + planted }, "reply"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			desk := carrier(t, Options{Dial: n.dial}, open("first.example"))
			l := letter("k1")
			c.spoil(&l)
			_, err := desk.Send(t.Context(), l)
			if !is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want it to say %q", err, c.says)
			}
			if err != nil && strings.Contains(err.Error(), planted) {
				t.Errorf("it repeats what was given: %v", err)
			}
			if n.dialled(first) != 0 {
				t.Error("a relay was troubled with it")
			}
		})
	}
}

func TestAddressesBeyondASCII(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, one, two := newNetwork(t), newOffice(t), newOffice(t)
		one.serve(t, n, first)
		two.server.EnableSMTPUTF8 = true
		two.serve(t, n, second)
		desk := carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))

		l := letter("k1")
		l.To = "sam@bücher.example" // the domain alone needs nothing special
		if r := send(t, desk, l); !r.Accepted || r.Relay != first || one.got()[0].to != "sam@xn--bcher-kva.example" || one.got()[0].utf8 {
			t.Errorf("got %+v, %+v", r, one.got())
		}
		l = letter("k2")
		l.To = "zoë@bücher.example" // the first relay cannot, the second can
		if r := send(t, desk, l); !r.Accepted || r.Relay != second {
			t.Fatalf("got %+v", r)
		}
		got := two.got()[0]
		if got.to != "zoë@xn--bcher-kva.example" || !got.utf8 || !strings.Contains(got.raw, "To: <zoë@xn--bcher-kva.example>\r\n") {
			t.Errorf("got %+v", got)
		}
		accepted(t, desk, "k3", first)
		n.host(second, nil)
		two.refusing(stageMail, nil)
		alone := carrier(t, Options{Dial: n.dial}, open("first.example"))
		want := Receipt{Relay: first, Permanent: true, Status: "5.6.7", Reason: Other, Text: "the relay cannot take an address with letters outside ASCII"}
		if r := send(t, alone, l); r != want {
			t.Errorf("got %+v, want %+v", r, want)
		}
	})
}

func TestASenderThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"none":           {Now: time.Now},
		"with a name":    {Now: time.Now, From: "Keyturn <" + sender + ">"},
		"beyond ASCII":   {Now: time.Now, From: "zoë@keyturn.example"},
		"without a time": {From: sender},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := New([]Relay{open("first.example")}, o); !is(err, fault.Invalid) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := New(nil, Options{From: sender, Now: time.Now}); !is(err, fault.Invalid) {
		t.Errorf("no relays: got %v", err)
	}
}

// Whatever gets through has exactly the headers we wrote, says what it was given to
// say, and goes to one address.
func FuzzLetter(f *testing.F) {
	f.Add("k1", "Bayside", "sam@bayside.example", "Your code", "a\n.\nb", "<p>")
	f.Add("k1", "a\r\nBcc: x", "zoë@bücher.example", "=?utf-8?q?x?=", "\r\n.\r\n", "")
	f.Add("a.b", `"\`, `"a b"@c`, "é\u202e", "\t", "--x")
	f.Add("k", "", "a@b", "  x  ", "x", "")
	f.Fuzz(func(t *testing.T, key, name, to, subject, text, html string) {
		from, err := parseAddress(sender)
		if err != nil {
			t.Fatal(err)
		}
		env, err := pack(Letter{Key: key, FromName: name, To: to, Subject: subject, Text: text, HTML: html}, from, time.Unix(0, 0))
		if err != nil {
			if !is(err, fault.Invalid) {
				t.Errorf("got %v", err)
			}
			return
		}
		if strings.ContainsAny(env.to[1:len(env.to)-1], "<> \r\n\t\x00") || !utf8.ValidString(env.to) {
			t.Errorf("the envelope goes to %q", env.to)
		}
		m := parsed(t, string(env.content))
		known := []string{"Content-Type", "Content-Transfer-Encoding", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
		for header, values := range m.Header {
			if !slices.Contains(known, header) || len(values) != 1 {
				t.Errorf("header %s: %q", header, values)
			}
		}
		// Spaces at the edges of a header line are folding (RFC 5322, 2.2.3), and mean
		// nothing.
		if got := decoded(t, m.Header.Get("Subject")); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(literal(subject)), " ") {
			t.Errorf("subject %q became %q", subject, got)
		}
		for line := range strings.Lines(string(env.content)) {
			if len(line) > 998+2 || !strings.HasSuffix(line, "\r\n") && strings.Contains(line, "\n") {
				t.Errorf("line %q", line)
			}
		}
	})
}

func packed(t *testing.T, l Letter, at time.Time) envelope {
	t.Helper()
	from, err := parseAddress(sender)
	if err != nil {
		t.Fatal(err)
	}
	env, err := pack(l, from, at)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func decoded(t *testing.T, header string) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bodies are the two parts of a multipart/alternative, plain first.
func bodies(t *testing.T, m *netmail.Message) (text, html string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %q, %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	var got []string
	for _, want := range []string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if p.Header.Get("Content-Type") != want {
			t.Errorf("part %q, want %q", p.Header.Get("Content-Type"), want)
		}
		b, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.ReplaceAll(string(b), "\r\n", "\n"))
	}
	return got[0], got[1]
}

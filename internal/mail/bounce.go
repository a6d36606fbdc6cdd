package mail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"

	"keyturn/internal/fault"
	"keyturn/internal/message"
)

// MaxReport bounds a notification or a hook. Ours are a few kilobytes with the letter
// that came back in them.
const MaxReport = 256 << 10

const (
	// maxParts bounds the parts of a notification that are looked at: it has three.
	maxParts = 10
	// maxRecipients bounds the recipients in it: a letter of ours has one.
	maxRecipients = 20
)

// errTooLarge says that a notification is over MaxReport.
var errTooLarge = errors.New("it is over 256 KiB")

// ParseReport reads a delivery status notification (RFC 3464; RFC 6533 for addresses
// outside ASCII) and gives the recipients for which a server gave up, or tries on. One
// that was delivered is none of them. The letter is named by the Message-ID of the
// headers that came back, or by In-Reply-To where none did. The address is the one that
// we wrote to, if the server says, and else the one at which it failed.
//
// What is no such notification, or is about no letter that could be ours, is
// fault.Invalid. Nothing in it proves who wrote it: that is for the caller to know.
func ParseReport(r io.Reader) ([]message.Bounce, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxReport+1))
	if err != nil {
		return nil, fmt.Errorf("read a bounce: %w", err)
	}
	if len(raw) > MaxReport {
		return nil, unreadable(errTooLarge)
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, unreadable(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["boundary"] == "" {
		return nil, unreadable(errors.New("it is no multipart/report"))
	}
	n := notification{}
	if err := n.parts(multipart.NewReader(m.Body, params["boundary"])); err != nil {
		return nil, unreadable(err)
	}
	if n.key == "" {
		n.key = keyOf(m.Header.Get("In-Reply-To"))
	}
	return n.bounces()
}

func unreadable(why error) error {
	return fmt.Errorf("read a bounce: %w: %w", fault.Invalid, why)
}

// notification is what was found in the parts.
type notification struct {
	key        string
	recipients []textproto.MIMEHeader
	status     bool // the part that matters was there
}

func (n *notification) parts(from *multipart.Reader) error {
	for range maxParts {
		part, err := from.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			continue
		}
		body := io.Reader(part)
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "base64") {
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		switch kind {
		case "message/delivery-status", "message/global-delivery-status":
			n.status = true
			n.recipients = append(n.recipients, recipients(body)...)
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			// A letter that was cut in the middle of its headers still has those before.
			h, _ := fields(textproto.NewReader(bufio.NewReader(body)))
			n.key = keyOf(h.Get("Message-Id"))
		}
	}
	if !n.status {
		return errors.New("it has no delivery status")
	}
	return nil
}

// recipients are the blocks of a delivery status that name a recipient; the first block
// is about the notification itself (RFC 3464, 2.1).
func recipients(body io.Reader) (all []textproto.MIMEHeader) {
	r := textproto.NewReader(bufio.NewReader(body))
	for len(all) < maxRecipients {
		block, more := fields(r)
		if block.Get("Final-Recipient") != "" || block.Get("Original-Recipient") != "" {
			all = append(all, block)
		}
		if !more {
			break
		}
	}
	return all
}

// fields reads header fields up to an empty line, and says whether something may follow.
// A line that is no field is passed over: servers put words of their own there.
func fields(r *textproto.Reader) (h textproto.MIMEHeader, more bool) {
	h = textproto.MIMEHeader{}
	for {
		line, err := r.ReadContinuedLine()
		if err != nil {
			return h, false
		}
		if line == "" {
			return h, true
		}
		name, value, ok := strings.Cut(line, ":")
		if ok && name != "" {
			h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
}

func (n *notification) bounces() ([]message.Bounce, error) {
	if n.key == "" {
		return nil, unreadable(errors.New("it names no letter"))
	}
	var all []message.Bounce
	for _, r := range n.recipients {
		action := strings.ToLower(strings.TrimSpace(uncommented(r.Get("Action"))))
		if action != "failed" && action != "delayed" {
			continue
		}
		status, said := diagnosis(r.Get("Status"), r.Get("Diagnostic-Code"))
		to := recipient(r.Get("Original-Recipient"))
		if to == "" {
			to = recipient(r.Get("Final-Recipient"))
		}
		if to == "" {
			continue
		}
		all = append(all, message.Bounce{Key: n.key, To: to, Status: status, Said: said, Permanent: action == "failed"})
	}
	return all, nil
}

// keyOf is the left part of a Message-ID, if it could be one of ours.
func keyOf(messageID string) string {
	text := strings.TrimSpace(messageID)
	text = strings.TrimSuffix(strings.TrimPrefix(text, "<"), ">")
	key, _, _ := strings.Cut(text, "@")
	if !isKey(key) {
		return ""
	}
	return key
}

// recipient is the address of a field such as "rfc822; sam@bayside.example".
func recipient(field string) string {
	kind, to, ok := strings.Cut(field, ";")
	if !ok {
		return ""
	}
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "rfc822", "utf-8":
	default:
		return ""
	}
	to = strings.TrimSpace(to)
	to = strings.TrimSuffix(strings.TrimPrefix(to, "<"), ">")
	if _, err := parseAddress(to); err != nil {
		return ""
	}
	return to
}

var (
	statusForm = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)
	codeForm   = regexp.MustCompile(`^([245]\d\d)(?:[ -]|$)`)
)

// diagnosis is the enhanced status and the server's words. The status of the words is
// preferred to one that says nothing, such as 5.0.0.
func diagnosis(statusField, diagnostic string) (status, said string) {
	status = statusForm.FindString(strings.TrimSpace(statusField))
	if _, text, ok := strings.Cut(diagnostic, ";"); ok { // "smtp; 550 …"
		diagnostic = text
	}
	diagnostic = strings.TrimSpace(diagnostic)
	code := 0
	if m := codeForm.FindStringSubmatch(diagnostic); m != nil {
		code, _ = strconv.Atoi(m[1]) // three digits
		diagnostic = strings.TrimSpace(diagnostic[len(m[0]):])
	}
	better, said := words(code, diagnostic)
	if better != "" && (status == "" || strings.HasSuffix(status, ".0.0")) {
		status = better
	}
	return status, said
}

// uncommented takes what RFC 5322 calls a comment from the end of a field: "failed (bad)".
func uncommented(field string) string {
	before, _, _ := strings.Cut(field, "(")
	return before
}

package mail

import (
	"io"

	"github.com/wneessen/go-mail/smtp"
)

// outcome is how one mail transaction ended.
type outcome struct {
	receipt Receipt
	err     error // what broke, if broken
	done    bool  // the receipt is the last word; no other relay is tried
	broken  bool  // the relay is to blame, not the letter
	stale   bool  // it was a kept connection that no longer worked; nothing was handed over
}

// deliver runs one mail transaction and gives the session back to its lane, or up.
func (s *session) deliver(t *trip) outcome {
	if o, ok := s.canCarry(t.env); !ok {
		s.lane.put(s)
		return o
	}
	at, err := s.announce(t)
	if err != nil {
		return s.unsent(t, at, err)
	}
	data, at, err := s.handOver(t)
	if err != nil {
		return s.unsent(t, at, err)
	}
	// From here on nothing may be sent anywhere else, unless the relay itself says no.
	s.letters++
	err = s.step(t.wait, stageAnswer, s.lane.opt.Answer, data.Close)
	if err == nil {
		return s.accepted(data)
	}
	if _, ok := isAnswer(err); ok {
		return s.refused(t, stageAnswer, err)
	}
	r := judge(s.lane.relay.Addr(), stageAnswer, err)
	r.Unknown = true
	s.lane.drop(s)
	if t.wait.Err() == nil {
		s.lane.health.fail(s.lane.opt.Now(), s.round)
	}
	return outcome{receipt: r, done: true}
}

// canCarry is false for an address with letters outside ASCII before the @ at a relay
// without SMTPUTF8 (RFC 6531); 5.6.7 is the status that RFC gives to it.
func (s *session) canCarry(env envelope) (outcome, bool) {
	if !env.utf8 {
		return outcome{}, true
	}
	if ok, _ := s.smtp.Extension("SMTPUTF8"); ok {
		return outcome{}, true
	}
	return outcome{receipt: Receipt{
		Relay: s.lane.relay.Addr(), Permanent: true, Status: "5.6.7", Reason: Other,
		Text: "the relay cannot take an address with letters outside ASCII",
	}}, false
}

// announce says from whom to whom, and asks to hand over.
func (s *session) announce(t *trip) (stage, error) {
	budget := s.lane.opt.Command
	if s.reused {
		budget = s.lane.opt.Overtake // a dead peer says nothing at all
	}
	s.smtp.SkipSMTPUTF8(!t.env.utf8)
	if err := s.step(t.road, stageMail, budget, func() error { return s.smtp.Mail(t.env.from) }); err != nil {
		return stageMail, err
	}
	err := s.step(t.road, stageRcpt, s.lane.opt.Command, func() error { return s.smtp.Rcpt(t.env.to) })
	return stageRcpt, err
}

// handOver transmits the letter without the final dot: a connection that breaks until
// here has delivered nothing (RFC 5321, 4.1.1.4).
func (s *session) handOver(t *trip) (data *smtp.DataCloser, at stage, err error) {
	var body io.WriteCloser
	err = s.step(t.road, stageData, s.lane.opt.Command, func() (err error) {
		body, err = s.smtp.Data()
		return err
	})
	if err != nil {
		return nil, stageData, err
	}
	err = s.step(t.road, stageBody, s.lane.opt.Body, func() error {
		if _, err := body.Write(t.env.content); err != nil {
			return err
		}
		return s.smtp.Text.W.Flush()
	})
	if err != nil {
		return nil, stageBody, err
	}
	data, ok := body.(*smtp.DataCloser)
	if !ok {
		return nil, stageBody, errNotData
	}
	if t.late() {
		return nil, stageBody, Late
	}
	return data, stageBody, t.road.Err()
}

// unsent is a transaction that ended before the final dot.
func (s *session) unsent(t *trip, at stage, err error) outcome {
	if reply, ok := isAnswer(err); ok && reply.Code != 421 {
		return s.refused(t, at, err)
	}
	s.lane.drop(s)
	return outcome{
		receipt: judge(s.lane.relay.Addr(), at, err), err: trouble(s.lane.relay.Addr(), at, err),
		broken: true, stale: s.reused && t.road.Err() == nil,
	}
}

// refused is a transaction that the relay answered with no.
func (s *session) refused(t *trip, at stage, err error) outcome {
	r := judge(s.lane.relay.Addr(), at, err)
	if r.Reason == RelayDown {
		s.lane.health.fail(s.lane.opt.Now(), s.round)
	} else {
		s.lane.health.well()
	}
	s.restore(t, at, r.Code)
	return outcome{receipt: r, done: isFinal(at, r)}
}

// restore makes the session fit for the next letter. The answer to the final dot has
// ended the transaction; after any other refusal RSET does.
func (s *session) restore(t *trip, at stage, code int) {
	if code == 421 {
		s.lane.drop(s) // the relay is hanging up
		return
	}
	if at != stageAnswer && s.step(t.wait, stageReset, s.lane.opt.Overtake, s.smtp.Reset) != nil {
		s.lane.drop(s)
		return
	}
	s.lane.put(s)
}

func (s *session) accepted(data *smtp.DataCloser) outcome {
	r := Receipt{Relay: s.lane.relay.Addr(), Accepted: true, Code: 250}
	r.Status, r.Text = words(r.Code, data.ServerResponse())
	s.lane.health.well()
	s.lane.put(s)
	return outcome{receipt: r, done: true}
}

package web_test

import (
	"testing"

	"keyturn/internal/web"
	"keyturn/internal/web/webtest"
)

func TestTheErrorPageSaysWhatHappenedAndWhatToDo(t *testing.T) {
	t.Parallel()
	s := webtest.Show(t, webtest.New(t), "error", web.ErrorPage{
		Status: 500, Heading: "That went wrong on our side", Words: "You did nothing wrong. What happened has been written down for us.",
		Next: "Try again. If it happens twice, tell us the reference below.", Reference: "QX4M-7TBA",
	})
	s.Sees("That went wrong on our side", "Try again.", "give this reference: QX4M-7TBA", "Go to the start", "Workshop support")
}

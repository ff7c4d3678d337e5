package uma_test

import (
	"errors"
	"testing"

	"github.com/licet/licet/uma"
)

// The cause is for the operator: it never gets into an answer.
func TestAnswerTellsNothingOfTheCause(t *testing.T) {
	cause := errors.New("row 7 of the table of secrets")
	e := uma.NewError(uma.InvalidGrant, "The ticket is not valid.").Because(cause)
	if got := written(t, e.Response()); got != `{"error":"invalid_grant","error_description":"The ticket is not valid."}` {
		t.Errorf("the answer is %s", got)
	}
	if got := e.Error(); got != "invalid_grant: The ticket is not valid.: row 7 of the table of secrets" {
		t.Errorf("the log reads %s", got)
	}
	if !errors.Is(e, cause) {
		t.Error("the cause cannot be found")
	}
}

func TestCauseIsAddedToACopy(t *testing.T) {
	shared := uma.NewError(uma.InvalidGrant, "The ticket is not valid.")
	if e := shared.Because(errors.New("cause")); e == shared || shared.Cause != nil {
		t.Errorf("the shared error became %v", shared)
	}
	if got := shared.Error(); got != "invalid_grant: The ticket is not valid." {
		t.Errorf("the log reads %s", got)
	}
}

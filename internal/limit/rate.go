package limit

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Rate is how much there is in a time: Count at once, and as much again over Per.
// The zero value leaves the choice to whoever uses it.
type Rate struct {
	Count int
	Per   time.Duration
}

// Off is no limit.
var Off = Rate{Count: -1}

var errForm = errors.New(`has to be a number and a duration such as "600/1m", or "off"`)

// Parse reads a rate such as "600/1m". "off" and "0" are Off.
func Parse(text string) (Rate, error) {
	if text == "off" || text == "0" {
		return Off, nil
	}
	number, duration, _ := strings.Cut(text, "/")
	count, err := strconv.ParseUint(number, 10, 31)
	if err != nil || count == 0 {
		return Rate{}, errForm
	}
	per, err := time.ParseDuration(duration)
	if err != nil || per <= 0 {
		return Rate{}, errForm
	}
	return Rate{Count: int(count), Per: per}, nil
}

// Or is the rate, or other if it leaves the choice.
func (r Rate) Or(other Rate) Rate {
	if r == (Rate{}) {
		return other
	}
	return r
}

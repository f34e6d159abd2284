"""What a hostile trusted application and somebody outside, who have agreed on a code, get across each way out."""

-- bytes: stands before another script where arguments travel as text, which JSON is: each byte as the character of its
-- number (Latin-1), in UTF-8. The script finds them as they were.

local ARGV = (function(sent)
  local byte, bytes = {}, {}
  for c = 128, 255 do
    byte[c < 192 and '\194' .. string.char(c) or '\195' .. string.char(c - 64)] = string.char(c)
  end
  for i = 1, #sent do
    bytes[i] = string.gsub(sent[i], '[\194\195][\128-\191]', byte)
  end
  return bytes
end)(ARGV)


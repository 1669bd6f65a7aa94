# doc
dist_man_MANS += \
	doc/man/flurmfed.8 \
	# End of dist_man_MANS
